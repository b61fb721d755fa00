"""The app in a terminal that may go away, or be taken from it and given back.

Textual writes in a thread that a lost terminal ends; the app then waits for it for ever. And whenever the
process continues, Textual begins to read and write in new threads, also where it was stopped from outside and
the old ones still work: two of them share out the keys, and tear sequences of several bytes apart.
"""

import os
import signal
from types import FrameType
from typing import IO, Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    """Textual's driver for terminals.

    Args:
        app: The app.
        debug: As Textual has it, and so are the others.
        mouse: Whether the mouse is used.
        size: Of the screen; None to ask the terminal.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file: Any = _Output(self._file) if self._file is not None else None

    def _sigcont_application(self, *given: int | FrameType | None) -> None:
        if self._writer_thread is None or not self._writer_thread.is_alive():
            super()._sigcont_application(*given)
        else:  # not here: what was interrupted may hold the lock of what is written
            self._loop.call_soon_threadsafe(self._take_over_again)

    def _take_over_again(self) -> None:
        """Begin anew, as the shell may have used the terminal meanwhile."""
        self._must_signal_resume = True
        self.suspend_application_mode()
        self.resume_application_mode()

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:
            hang_up()


class _Output:
    """What is written to a terminal; once that is gone, nothing is.

    Args:
        file: The terminal.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._is_gone = False

    def write(self, text: str) -> None:
        """Write a text, or drop it."""
        if not self._is_gone:
            try:
                self._file.write(text)
            except OSError:
                self._leave()

    def flush(self) -> None:
        """Bring it to the terminal."""
        if not self._is_gone:
            try:
                self._file.flush()
            except OSError:
                self._leave()

    def fileno(self) -> int:
        """The number of the terminal's file."""
        return self._file.fileno()

    def _leave(self) -> None:
        self._is_gone = True
        hang_up()


def hang_up() -> None:
    """End the app as the system does when its terminal goes away."""
    os.kill(os.getpid(), signal.SIGHUP)
