"""spotui locate."""

import argparse

from spotui import locations
from spotui.cli import exit_codes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`locate` takes nothing."""


def main(parsed: argparse.Namespace) -> int:  # noqa: ARG001 - every verb has the same form
    """Print every path, and what decides it."""
    for place in locations.all_locations():
        print(f"{place.name:14} {place.path}  ({place.why})")
    return exit_codes.OK
