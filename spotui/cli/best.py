"""spotui best NAME."""

import argparse
import sys

from spotui.cli import exit_codes, options
from spotui.cli.reading import best_round


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `best` takes."""
    options.add_project(parser)


def main(parsed: argparse.Namespace) -> int:
    """Print the best prompt alone, so that it can be piped."""
    best = best_round(options.workspace(parsed).existing(parsed.name))
    sys.stdout.write(best.prompt if best.prompt.endswith("\n") else best.prompt + "\n")
    return exit_codes.OK
