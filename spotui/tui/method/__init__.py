"""Choosing a method and what it is told."""
