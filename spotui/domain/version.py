"""The version, in the one place that needs no import of package metadata."""

VERSION = "0.1.0"
