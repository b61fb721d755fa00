"""A command line that cannot be understood: said in the house's form, with exit code 2."""

import argparse
import sys
from typing import NoReturn

from spotui.cli import exit_codes
from spotui.errors import SpotuiError


class UsageError(SpotuiError):
    """What was typed cannot be carried out as it stands."""


class Parser(argparse.ArgumentParser):
    """A parser that names the mistake and the way to help, without the whole usage in front of it."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        print(f"spotui: {message[:1].upper()}{message[1:]}.", file=sys.stderr)
        print(f"        '{self.prog} --help' tells what it takes.", file=sys.stderr)
        sys.exit(exit_codes.USAGE)
