"""The rows that scored methods work on: read from a template or a data file, checked, and split.

It knows no model and no screen; templates, metrics and runs build on it."""
