"""Races: before one starts, while it runs, and row by row afterwards."""
