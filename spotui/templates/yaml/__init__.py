"""YAML read with its marks, and changed value by value: every other byte stays as it was."""
