"""Judging: ballots, votes and decision rules; no file, no network, no screen."""
