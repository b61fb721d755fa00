"""The entry point: `spotui` and `python -m spotui`."""

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from spotui.cli import main as command_line

    sys.exit(command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
