"""The thread of one tracker: takes what is worth reporting from the events of a run, which never waits."""

import os
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from spotui.domain.events import (
    CandidateProposed,
    Event,
    FinalCheckFinished,
    FinalTest,
    RoundFinished,
    RunOpened,
    RunStopped,
    SpendingChanged,
)
from spotui.domain.verdicts import BEST_SO_FAR
from spotui.lang import _
from spotui.wire.tracking import TrackedEnd, TrackedRound, TrackedRun, Tracker

MOST_WAITING: Final = 1000
"""Rounds that wait for a slow tracker; more are dropped, and counted."""

FAREWELL_SECONDS: Final = 10.0
"""Seconds that a tracker has for what is left when its run has ended."""

_LONGEST: Final = 300
_KEYS: Final = ("KEY", "TOKEN", "SECRET", "PASSWORD")
_SHORTEST_KEY: Final = 8

Job = Callable[[Tracker], None]


class Feed:
    """Reports one run to one tracker.

    Args:
        name: The tracker's name.
        tracker: It; nobody else calls it.
        say: Told in a sentence that tracking ended, from any thread.
        report: Writes the report of the run, or None without one.
    """

    def __init__(
        self, name: str, tracker: Tracker, say: Callable[[str], None], report: Callable[[], str] | None = None
    ) -> None:
        self._name = name
        self._tracker = tracker
        self._say = say
        self._report = report
        self._jobs = queue.Queue[Job | None](MOST_WAITING)
        self._is_dead = False
        self._dropped = 0
        self._known = 0
        self._begun = False
        self._spent: dict[str, float] = {}
        self._found: dict[str, float] = {}
        self._best_score: float | None = None
        self._proposed: dict[tuple[int, int], str] = {}
        self._seed = ""
        self._thread = threading.Thread(target=self._work, name=f"tracker {name}", daemon=True)

    def take(self, event: Event) -> None:
        """Take in an event on the event loop; it waits for nothing."""
        match event:
            case RunOpened():
                self._thread.start()
                run, self._seed = _run_of(event), event.prompt
                self._put(lambda tracker: self._begin(tracker, run))
            case SpendingChanged():
                self._spent = _spent(event)
            case CandidateProposed():
                self._proposed[event.round, event.index] = event.prompt
            case RoundFinished():
                ended = self._round(event)
                self._put(lambda tracker: self._end_round(tracker, ended))
            case FinalTest():
                self._found |= {
                    "test_score": event.best_score,
                    "test_score_of_seed": event.seed_score,
                    "test_gain": event.difference,
                    "test_gain_low": event.difference_interval[0],
                    "test_gain_high": event.difference_interval[1],
                }
            case FinalCheckFinished() if event.win_rate is not None:
                self._found["final_win_rate"] = event.win_rate
            case RunStopped():
                figures = {**self._spent, **self._found}
                self._put(lambda tracker: self._end(tracker, event, figures))

    def close(self, seconds: float | None = None) -> None:
        """Wait until everything is reported, FAREWELL_SECONDS at most unless given; safe to call twice."""
        seconds = FAREWELL_SECONDS if seconds is None else seconds
        if not self._thread.is_alive():
            return
        until = time.monotonic() + seconds
        with suppress(queue.Full):
            self._jobs.put(None, timeout=seconds)
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._thread.is_alive() and not self._is_dead:
            self._is_dead = True
            self._say(
                _(
                    "{name} has not taken everything {seconds:g} seconds after the run; the rest is lost.",
                    name=self._name,
                    seconds=seconds,
                )
            )
        elif self._dropped and not self._is_dead:
            self._say(
                _(
                    "{name} was too slow: {dropped:,} rounds are missing there.",
                    name=self._name,
                    dropped=self._dropped,
                )
            )

    def _put(self, job: Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._dropped += 1

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._is_dead:
                continue
            try:
                job(self._tracker)
            except BaseException as error:  # noqa: BLE001 - code of another package can raise anything
                self._is_dead = True
                told = masked(" ".join(str(error).split())[:_LONGEST] or type(error).__name__)
                self._say(
                    _(
                        "{name} does not take the run any more: {error} The run continues without it.",
                        name=self._name,
                        error=told if told.endswith((".", "!", "?")) else f"{told}.",
                    )
                )

    def _begin(self, tracker: Tracker, run: TrackedRun) -> None:
        self._known = tracker.begin(run)
        self._begun = True

    def _end_round(self, tracker: Tracker, ended: TrackedRound) -> None:
        if ended.round > self._known:  # a resumed run goes through its first rounds again
            tracker.round(ended)

    def _end(self, tracker: Tracker, stopped: RunStopped, figures: Mapping[str, float]) -> None:
        with tempfile.TemporaryDirectory(prefix="spotui-") as folder:
            files = [Path(folder) / "best_prompt.txt"]
            files[0].write_text(masked(stopped.prompt), "utf-8", "replace")
            if self._report is not None:
                files.append(Path(folder) / "report.html")
                files[1].write_text(masked(self._report()), "utf-8", "replace")
            tracker.end(
                TrackedEnd(
                    stopped.reason,
                    masked(stopped.cause),
                    stopped.reason in {"failed", "unmarked"},
                    stopped.best,
                    figures,
                    files,
                )
            )

    def _round(self, event: RoundFinished) -> TrackedRound:
        if event.score is not None and event.outcome in BEST_SO_FAR:
            self._best_score = event.score
        cost = event.per_answer
        index = max(0, event.candidate - 1)
        prompt = event.prompt or self._proposed.get((event.round, index), "")
        self._proposed.clear()  # a long run has many
        if event.round == 1:
            prompt = prompt or self._seed
        figures = {
            "score": event.score,
            "win_rate": event.win_rate,
            "gain": event.gain,
            "best_score": self._best_score,
            "usd_per_answer": cost.usd if cost is not None else None,
            "seconds_per_answer": cost.seconds if cost is not None else None,
            **self._spent,
        }
        return TrackedRound(
            event.round,
            event.outcome,
            masked(prompt),
            masked(event.modification),
            event.best,
            {name: float(value) for name, value in figures.items() if value is not None},
        )


def _run_of(event: RunOpened) -> TrackedRun:
    facts: dict[str, str | int | float | bool | None] = {
        **{f"parameter {name}": value for name, value in event.parameters.items()},
        **{f"limit {name}": value for name, value in event.limits.items() if value is not None},
        **{f"{split} rows": number for split, number in event.rows.items()},
        "rounds": event.rounds,
        "questions": len(event.questions),
        "metric": event.metric,
        "judge": event.judge,
    }
    return TrackedRun(
        event.project,
        event.run,
        event.method,
        dict(event.models),
        {name: masked(value) if isinstance(value, str) else value for name, value in facts.items()},
        masked(event.prompt),
    )


def _spent(event: SpendingChanged) -> dict[str, float]:
    """What the run took so far; USD only where every price is known."""
    found = {
        "calls": float(event.calls),
        "tokens": float(event.prompt_tokens + event.completion_tokens),
        "seconds": round(event.seconds, 3),
    }
    return found if event.unpriced else {**found, "usd": event.cost_usd}


def masked(text: str) -> str:
    """A text without the keys of the environment."""
    for name, value in os.environ.items():
        if name.upper().endswith(_KEYS) and len(value) >= _SHORTEST_KEY:
            text = text.replace(value, "***")
    return text
