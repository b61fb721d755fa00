"""The thread of one tracker, and what waits for it: nothing that reports to it ever waits."""

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Final, Protocol

from spotui.lang import _, ngettext

MOST_WAITING: Final = 1000
"""Rounds that wait for a slow tracker; more are dropped, and counted."""

FAREWELL_SECONDS: Final = 10.0
"""Seconds in which a tracker has to take something once all has ended; as long as it does, it gets more.

What it has not taken anything for before the end counts, too: it gets LEAST_SECONDS then.
"""

LEAST_SECONDS: Final = 1.0
"""Seconds that it has whatever was before."""

LONGEST_FAREWELL: Final = 120.0
"""Seconds in which it has to take everything."""

MOST_FAILURES: Final = 3
"""So many runs in a row that a tracker failed on say that it will fail on the others, too."""

_SAY_SECONDS: Final = 4.0
_LOOK_SECONDS: Final = 0.1
_LONGEST: Final = 300
_KEYS: Final = ("KEY", "TOKEN", "SECRET", "PASSWORD")
_SHORTEST_KEY: Final = 8

Job = Callable[[], None]

_left = threading.Event()


def was_left() -> bool:
    """Whether a tracker of this process failed or hangs: its package may keep the process from its exit."""
    return _left.is_set()


class Rank(IntEnum):
    """What goes first: what happens now, before what happened long ago."""

    NOW = 0
    WHEN_IDLE = 1
    LAST = 2


class Puts(Protocol):
    """Takes what is to be done for a tracker."""

    def put(self, run: str, job: Job, *, is_round: bool = False, ends: bool = False) -> None:
        """Do something soon.

        Args:
            run: The project of the run that it is about.
            job: What is done; an error that it raises ends the tracking of this run.
            is_round: Whether it may be dropped where too much waits.
            ends: Whether the run is done with it.
        """
        ...


class AtOnce:
    """Does everything at once; for what happens in the thread of a tracker anyway."""

    def put(self, run: str, job: Job, *, is_round: bool = False, ends: bool = False) -> None:  # noqa: ARG002
        """See `Puts.put`."""
        job()


class Outbox:
    """The thread of one tracker.

    Args:
        name: The tracker's name.
        say: Called with a sentence about what a tracker lacks, from any thread.
        of_several: Whether it is about several runs, of which one may fail.
    """

    def __init__(self, name: str, say: Callable[[str], None], *, of_several: bool = False) -> None:
        self._name = name
        self._say = say
        self._of_several = of_several
        self._jobs = queue.PriorityQueue[tuple[int, int, str, Job | None, bool, bool]]()
        self._number = self._rounds_put = self._rounds_done = self._done = self._dropped = 0
        self._failed: set[str] = set()
        self._in_a_row = 0
        self._is_over = False
        self._busy_since: float | None = None
        self._thread: threading.Thread | None = None

    def put(
        self, run: str, job: Job, *, is_round: bool = False, ends: bool = False, rank: Rank = Rank.NOW
    ) -> None:
        """See `Puts.put`; what has another rank waits until nothing before it is left."""
        if is_round and self._rounds_put - self._rounds_done >= MOST_WAITING:
            self._dropped += 1
            return
        self._rounds_put += is_round
        self._number += 1
        self._jobs.put((rank, self._number, run, job, is_round, ends))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"tracker {self._name}", daemon=True)
            self._thread.start()

    def close(self, seconds: float | None = None) -> None:
        """Wait until everything is taken, or nothing more is; safe to call twice.

        Args:
            seconds: The longest wait; None for FAREWELL_SECONDS after anything that was taken.
        """
        if self._thread is None or not self._thread.is_alive() or self._is_over:
            return
        self._jobs.put((Rank.LAST, self._number + 1, "", None, False, False))
        patience = FAREWELL_SECONDS if seconds is None else seconds
        longest = LONGEST_FAREWELL if seconds is None else seconds
        began = now = time.monotonic()
        last = max(self._busy_since or now, now - max(0.0, patience - LEAST_SECONDS))
        done, is_said = self._done, False
        while self._thread.is_alive() and now - last < patience and now - began < longest:
            self._thread.join(min(_LOOK_SECONDS, patience))
            now = time.monotonic()
            if self._done != done:
                done, last = self._done, now
            if seconds is None and not is_said and now - began > _SAY_SECONDS:
                is_said = True
                self._say(_("{name} is still taking the rest; Ctrl-C leaves without it.", name=self._name))
        self._is_over = True
        if self._thread.is_alive():
            _left.set()
            self._say(
                _(
                    "{name} has not taken everything {seconds:g} seconds after the end; the rest is lost.",
                    name=self._name,
                    seconds=round(now - began, 1),
                )
            )
        else:
            self._say_what_is_missing()

    def _say_what_is_missing(self) -> None:
        if self._of_several and self._failed:
            self._say(
                ngettext(
                    "{name} lacks {n:,} run, or a part of it.",
                    "{name} lacks {n:,} runs, or parts of them.",
                    len(self._failed),
                    name=self._name,
                )
            )
        if self._dropped and not (self._failed and not self._of_several):
            self._say(
                _(
                    "{name} was too slow: {dropped:,} rounds are missing there.",
                    name=self._name,
                    dropped=self._dropped,
                )
            )

    def _work(self) -> None:
        while True:
            _rank, _number, run, job, is_round, ends = self._jobs.get()
            self._rounds_done += is_round
            if job is None or self._is_over:
                return
            if self._in_a_row >= MOST_FAILURES:
                self._failed.add(run)
            if run not in self._failed:
                self._busy_since = time.monotonic()
                try:
                    job()
                except BaseException as error:  # noqa: BLE001 - code of another package can raise anything
                    self._fail(run, error)
                else:
                    self._in_a_row = 0 if ends else self._in_a_row
                self._busy_since = None
            self._done += 1

    def _fail(self, run: str, error: BaseException) -> None:
        _left.set()
        is_first = not self._failed
        self._failed.add(run)
        self._in_a_row += 1
        if self._is_over or not is_first:
            return
        what = masked(" ".join(str(error).split())[:_LONGEST] or type(error).__name__)
        what = what if what.endswith((".", "!", "?")) else f"{what}."
        if self._of_several:
            text = _(
                "{name} does not take {run} any more: {error} All runs continue.",
                name=self._name,
                run=run,
                error=what,
            )
        else:
            text = _(
                "{name} does not take the run any more: {error} The run continues without it.",
                name=self._name,
                error=what,
            )
        self._say(text)


def masked(text: str) -> str:
    """A text without the keys of the environment."""
    for name, value in os.environ.items():
        if name.upper().endswith(_KEYS) and len(value) >= _SHORTEST_KEY:
            text = text.replace(value, "***")
    return text


def masked_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Names and texts without the keys of the environment."""
    return {masked(name): masked(text) for name, text in texts.items()}
