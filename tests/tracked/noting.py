"""Trackers of another package: one that notes what it is given, and others that are broken."""

import atexit
import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from spotui.wire.tracking import TrackedEnd, TrackedRound, TrackedRun

NOTES: list[Any] = []


class Noting:
    """Notes what it is given."""

    known: ClassVar[int] = 0
    name: str = ""
    free: ClassVar[threading.Event] = threading.Event()

    def fault(self) -> tuple[str, str]:
        """Nothing."""
        return "", ""

    def begin(self, run: TrackedRun) -> int:
        """Note the run."""
        NOTES.append(run)
        self.name = run.project
        return self.known

    def round(self, ended: TrackedRound) -> None:
        """Note a round."""
        NOTES.append(ended)

    def end(self, ending: TrackedEnd) -> None:
        """Note the end, with the files, which are gone afterwards."""
        NOTES.append((ending, {path.name: path.read_text() for path in ending.files}))


class Adding(Noting):
    """Notes for which run it is given something, and figures of the test, too."""

    def round(self, ended: TrackedRound) -> None:
        """Note a round and its run."""
        NOTES.append((self.name, ended))

    def end(self, ending: TrackedEnd) -> None:
        """Note the end and its run, with the names of the files."""
        NOTES.append((self.name, ending, [path.name for path in ending.files]))

    def add(self, run: str, figures: Mapping[str, float]) -> None:
        """Note the figures."""
        NOTES.append((run, dict(figures)))


class Failing(Noting):
    """Fails, and shows its key in the error."""

    def begin(self, run: TrackedRun) -> int:
        """Fail."""
        raise ConnectionError("the server said sk-tracker-0123456789 no")


class Hanging(Noting):
    """Hangs until it is let free."""

    def begin(self, run: TrackedRun) -> int:
        """Hang."""
        self.free.wait(30)
        return 0

    def round(self, ended: TrackedRound) -> None:
        """Forget it."""

    def end(self, ending: TrackedEnd) -> None:
        """Forget it."""


class Lingering(Noting):
    """Fails, and keeps the process from its end."""

    def begin(self, run: TrackedRun) -> int:
        """Fail."""
        atexit.register(threading.Event().wait, 60)
        raise ConnectionError("no network")


class Keyless(Noting):
    """Lacks its key."""

    def fault(self) -> tuple[str, str]:
        """The key is missing."""
        return "There is no key.", "Set KEYLESS_API_KEY."
