"""Scoring answers without a model: each metric compares an answer with what a row expects."""
