"""The entry point: `spotui` and `python -m spotui`."""

import sys


def main() -> None:
    """Open the app where there is a terminal and nothing was asked for; otherwise run the command line."""
    if len(sys.argv) == 1:
        from spotui.tui import skeleton

        if skeleton.is_possible():
            sys.exit(_open())
    from spotui.cli import main as command_line

    sys.exit(command_line(sys.argv[1:]))


def _open() -> int:
    from spotui.tui import skeleton

    skeleton.paint()
    try:
        from spotui.tui.start import start
    except BaseException:
        skeleton.wipe()
        raise
    return start()


if __name__ == "__main__":
    main()
