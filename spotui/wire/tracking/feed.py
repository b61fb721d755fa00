"""Takes what is worth reporting from the events of a run, for one tracker."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

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
from spotui.wire.tracking import TrackedEnd, TrackedGroup, TrackedRound, TrackedRun, Tracker
from spotui.wire.tracking.outbox import Puts, masked, masked_texts

Report = Callable[[], str]
"""Writes a report as HTML."""

_NO_TAGS: Mapping[str, str] = {}
_FAILED = frozenset({"failed", "unmarked"})


class Feed:
    """Reports one run to one tracker.

    Args:
        outbox: Takes what is to be done.
        make: Makes the tracker, in the thread of the outbox.
        report: Writes the report of the run; None for none.
        group: What the run is part of.
        tags: What tells it from the other runs of its group.
        opened: Called with the project and the run once the tracker has it.

    Attributes:
        is_over: Whether the run has ended.
    """

    def __init__(
        self,
        outbox: Puts,
        make: Callable[[], Tracker],
        report: Report | None = None,
        *,
        group: TrackedGroup | None = None,
        tags: Mapping[str, str] = _NO_TAGS,
        opened: Callable[[str, TrackedRun], None] = lambda _project, _run: None,
    ) -> None:
        self.is_over = False
        self._outbox = outbox
        self._make = make
        self._report = report
        self._group = group and msgspec.structs.replace(group, name=masked(group.name))
        self._tags = masked_texts(tags)
        self._opened = opened
        self._tracker: Tracker | None = None
        self._run: TrackedRun | None = None
        self._project = ""
        self._known = 0
        self._spent: dict[str, float] = {}
        self._counts_rounds = True
        self._found: dict[str, float] = {}
        self._best = 0
        self._best_score: float | None = None
        self._proposed: dict[tuple[int, int], str] = {}

    def take(self, event: Event) -> None:
        """Take in an event; it waits for nothing."""
        if self.is_over:
            return
        match event:
            case RunOpened():
                self._open(event)
            case SpendingChanged():
                self._counts_rounds, self._spent = False, _spent(event)
            case CandidateProposed():
                self._proposed[event.round, event.index] = event.prompt
            case RoundFinished():
                ended = self._round(event)
                self._put(lambda: self._end_round(ended), is_round=True)
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
                self._stop(event.reason, event.cause, event.best, event.prompt)

    def abandon(self) -> None:
        """Report that the run was interrupted, where nothing says how it ended."""
        if self._run is not None and not self.is_over:
            self._stop("stopped", _("Interrupted."), self._best, "")

    def _open(self, event: RunOpened) -> None:
        if self._run is not None:  # its worker was lost, and another one goes through its rounds again
            return
        self._project = event.project
        run = self._run = _run_of(event, self._group, self._tags)

        def begin() -> None:
            self._tracker = self._make()
            self._known = self._tracker.begin(run)
            self._opened(event.project, run)

        self._put(begin)

    def _put(self, job: Callable[[], None], *, is_round: bool = False, ends: bool = False) -> None:
        if self._run is not None:
            self._outbox.put(self._project, job, is_round=is_round, ends=ends)

    def _end_round(self, ended: TrackedRound) -> None:
        if self._tracker is not None and ended.round > self._known:  # a resumed run goes through them again
            self._tracker.round(ended)
            self._known = ended.round

    def _stop(self, reason: str, cause: str, best: int, prompt: str) -> None:
        self.is_over = True
        figures = {**self._spent, **self._found}

        def end() -> None:
            tracker, self._tracker = self._tracker, None
            if tracker is None:
                return
            with end_files(prompt, self._report) as files:
                tracker.end(TrackedEnd(reason, masked(cause), reason in _FAILED, best, figures, files))

        self._put(end, ends=True)

    def _round(self, event: RoundFinished) -> TrackedRound:
        if event.score is not None and event.outcome in BEST_SO_FAR:
            self._best_score = event.score
        self._best = event.best
        if self._counts_rounds:
            self._count(event)
        cost = event.per_answer
        index = max(0, event.candidate - 1)
        prompt = event.prompt or self._proposed.get((event.round, index), "")
        self._proposed.clear()  # a long run has many
        if event.round == 1 and self._run is not None:
            prompt = prompt or self._run.prompt
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

    def _count(self, event: RoundFinished) -> None:
        """Add up what rounds took; a run that is read from its journal says the whole only at its end."""
        took = {
            "calls": event.calls,
            "tokens": event.prompt_tokens + event.completion_tokens,
            "seconds": event.seconds,
        }
        before = self._spent or dict.fromkeys((*took, "usd"), 0.0)
        self._spent = {name: before[name] + value for name, value in took.items()}
        if event.cost_usd is not None and "usd" in before:
            self._spent["usd"] = before["usd"] + event.cost_usd


@contextmanager
def end_files(
    prompt: str, report: Report | None, *, name: str = "best_prompt.txt"
) -> Iterator[Sequence[Path]]:
    """The files of a run or of several that have ended; they are gone afterwards.

    Args:
        prompt: The best prompt; empty for none.
        report: Writes the report; one that cannot be written is left out.
        name: The file of the prompt.
    """
    with tempfile.TemporaryDirectory(prefix="spotui-") as folder:
        files = []
        if prompt:
            files.append(Path(folder) / name)
            files[-1].write_text(masked(prompt), "utf-8", "replace")
        try:
            text = "" if report is None else report()
        except Exception:  # noqa: BLE001 - its figures matter more, and the report can be written any time
            text = ""
        if text:
            files.append(Path(folder) / "report.html")
            files[-1].write_text(masked(text), "utf-8", "replace")
        yield files


def _run_of(event: RunOpened, group: TrackedGroup | None, tags: Mapping[str, str]) -> TrackedRun:
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
        masked(event.project),
        event.run,
        event.method,
        dict(event.models),
        {name: masked(value) if isinstance(value, str) else value for name, value in facts.items()},
        masked(event.prompt),
        group=group,
        tags=tags,
    )


def _spent(event: SpendingChanged) -> dict[str, float]:
    """What the run took so far; USD only where every price is known."""
    found = {
        "calls": float(event.calls),
        "tokens": float(event.prompt_tokens + event.completion_tokens),
        "seconds": round(event.seconds, 3),
    }
    return found if event.unpriced else {**found, "usd": event.cost_usd}
