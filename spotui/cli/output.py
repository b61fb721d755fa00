"""Standard output for as long as somebody reads it."""

import sys

from spotui.cli.terminal import lose, shown


class Output:
    """Writes lines, and falls silent once the reader or the terminal has gone: a run outlives both."""

    def __init__(self) -> None:
        self.open = True

    def write(self, data: bytes) -> None:
        """Write and flush."""
        if not self.open:
            return
        try:
            sys.stdout.buffer.write(shown(data))
            sys.stdout.buffer.flush()
        except OSError:
            self.close()

    def line(self, text: str) -> None:
        """Write a line of text."""
        self.write(text.encode("utf-8", "replace") + b"\n")

    def close(self) -> None:
        """Write nothing any more."""
        self.open = False
        lose(sys.stdout)
