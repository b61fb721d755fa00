"""Carrying a journal to the disk without keeping its writer waiting."""

import os
import threading
from collections.abc import Callable

# Where the cheaper call is missing (macOS), the other one does.
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class JournalSync:
    """A thread that syncs a file soon after each request; many requests share one sync.

    Args:
        file: An open descriptor; it must stay open until `close` has returned.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._error: OSError | None = None
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="journal-sync", daemon=True)
        self._thread.start()

    def request(self) -> None:
        """Sync what was written until now, soon."""
        self._wanted.set()

    def check(self) -> None:
        """Tell of a sync that failed; it is told once, so that a person can mend the disk and go on.

        Raises:
            OSError: Why it failed.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def close(self) -> None:
        """Sync what is left, and end.

        Raises:
            OSError: Something did not reach the disk.
        """
        self._closing = True
        self._wanted.set()
        self._thread.join()
        _sync(self._file)
        self.check()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing:
                return
            try:
                _sync(self._file)
            except OSError as error:
                self._error = error
