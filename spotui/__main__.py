"""The entry point: `spotui` and `python -m spotui`."""

import contextlib
import gc
import os
import sys

_FILES = 32
_MEMORY = 256 * 1024 * 1024
"""Open files and address space that the app takes with a run on the screen."""

_OBJECTS = 100_000
"""New objects before Python looks for garbage. After 700, its default, it would look through what is being
loaded a hundred times and find nothing: a tenth of the time until the first request."""


def main() -> None:
    """Open the app where there is a terminal and nothing was asked for; otherwise run the command line."""
    _open_closed_streams()
    if _opens_the_app(sys.argv[1:]):
        from spotui.tui import start as skeleton

        if skeleton.is_possible():
            sys.exit(_open())
    gc.set_threshold(_OBJECTS)
    from spotui.cli import main as command_line

    _leave(command_line(sys.argv[1:]))


def _open_closed_streams() -> None:
    """Let standard streams that were closed lead nowhere: the next file would take the number of one.

    Whoever then writes to the terminal, such as a library in C, would write into that file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115


def _leave(code: int) -> None:
    """Exit, at once where a tracker failed or hangs: its package could wait for a network until then."""
    outbox = sys.modules.get("spotui.wire.tracking.outbox")
    if outbox is not None and outbox.was_left():
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    gc.freeze()  # while it ends, Python would look for garbage in all that is there, several times
    sys.exit(code)


def _opens_the_app(words: list[str]) -> bool:
    """Whether nothing was asked for, or only a language."""
    return not words or (words[0].partition("=")[0] == "--lang" and len(words) == 2 - ("=" in words[0]))


def _open() -> int:
    import termios

    from spotui.tui import start as skeleton

    before = termios.tcgetattr(sys.stdin)
    try:
        _leave_on_signals()  # before anything is painted: a signal right after that would leave it there
        skeleton.paint()
        from spotui.domain.errors import check_files, check_memory

        check_files(_FILES)
        check_memory(_MEMORY)
        from spotui.settings.language import choose_language

        choose_language(sys.argv[1:])
        from spotui.tui.start import start

        return start()
    except BaseException as error:  # Textual restores the terminal itself, but only once it has taken over
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, before)
        skeleton.wipe()
        from spotui.domain.errors import limit_reached
        from spotui.settings.language import UnknownLanguageError

        if isinstance(error, UnknownLanguageError):
            sys.stderr.write(f"spotui: {error}\n")
            return 2
        if (limit := limit_reached(error)) is None:
            raise
        sys.stderr.write(f"spotui: {limit}\n")
        return 1


def _leave_on_signals() -> None:
    """Let signals raise SystemExit until the app has its handlers."""
    import signal

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))


if __name__ == "__main__":
    main()
