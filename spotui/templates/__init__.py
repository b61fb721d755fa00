"""The template: read, checked and saved."""
