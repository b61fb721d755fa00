"""Reports a race, a sweep or a migration to one tracker: one run for all of it, and each run in its group."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from spotui.domain.events import Event
from spotui.lang import _
from spotui.wire.tracking import AddsFigures, TrackedEnd, TrackedRun, TrackedTable, Tracker
from spotui.wire.tracking.feed import Feed, Report, end_files
from spotui.wire.tracking.outbox import AtOnce, Outbox, Puts, Rank, masked, masked_texts


class GroupFeed:
    """Reports several runs to one tracker, in one thread: what stands for all of them, and each.

    Args:
        name: The tracker's name.
        tracker: The tracker of what stands for all.
        make: Makes that of a run.
        whole: What stands for all; its `group` is that of every run.
        say: Called with a sentence about what the tracker lacks, from any thread.
    """

    def __init__(
        self,
        name: str,
        tracker: Tracker,
        make: Callable[[], Tracker],
        whole: TrackedRun,
        say: Callable[[str], None],
    ) -> None:
        self._outbox = Outbox(name, say, of_several=True)
        self._tracker = tracker
        self._make = make
        self._whole = whole
        self._is_begun = self._has_ended = False
        self._feeds: list[Feed] = []
        self._runs: dict[str, str] = {}
        prompt = masked(whole.prompt)
        facts = {
            masked(key): masked(fact) if isinstance(fact, str) else fact for key, fact in whole.facts.items()
        }
        of = whole.group and msgspec.structs.replace(whole.group, name=masked(whole.group.name))
        begun = msgspec.structs.replace(
            whole, project=masked(whole.project), group=of, prompt=prompt, facts=facts
        )

        def begin() -> None:
            tracker.begin(begun)
            self._is_begun = True

        self._outbox.put(whole.project, begin)

    def listen(self, tags: Mapping[str, str], report: Report | None = None) -> Callable[[Event], None]:
        """Report a run that begins or is resumed.

        Args:
            tags: What tells it from the others.
            report: Writes its report; None for none.

        Returns:
            Takes its events, and waits for nothing.
        """
        feed = self._feed(self._outbox, tags, report)
        self._feeds = [one for one in self._feeds if not one.is_over] + [feed]
        return feed.take

    def retell(
        self,
        project: str,
        events: Callable[[], Iterable[Event]],
        tags: Mapping[str, str],
        report: Report | None = None,
    ) -> None:
        """Report a run that ended before, once nothing newer waits; what the tracker has of it stays.

        Args:
            project: Its name.
            events: Reads what happened in it.
            tags: What tells it from the others.
            report: Writes its report; None for none.
        """

        def tell() -> None:
            feed = self._feed(AtOnce(), tags, report)
            for event in events():
                feed.take(event)

        self._outbox.put(project, tell, ends=True, rank=Rank.WHEN_IDLE)

    def add(self, project: str, figures: Mapping[str, float]) -> None:
        """Add figures of the test to a run that has ended."""
        tracker = self._tracker
        if not isinstance(tracker, AddsFigures):
            return

        def add() -> None:
            if project in self._runs and self._is_begun:
                tracker.add(self._runs[project], figures)

        self._outbox.put(project, add, rank=Rank.WHEN_IDLE)

    def end(self, ending: TrackedEnd, prompt: str = "", report: Report | None = None) -> None:
        """Report what was found, or why nothing was.

        Args:
            ending: The end; its files are made here.
            prompt: The best prompt of all; empty for none.
            report: Writes the report of all.
        """
        self._has_ended = True

        def end() -> None:
            if not self._is_begun:
                return
            with end_files(prompt, report) as files:
                self._tracker.end(msgspec.structs.replace(_masked(ending), files=files))

        self._outbox.put(self._whole.project, end, ends=True)

    def close(self, seconds: float | None = None) -> None:
        """Wait until everything is reported; see `Outbox.close`."""
        for feed in self._feeds:
            feed.abandon()
        if not self._has_ended:
            self.end(TrackedEnd("stopped", _("Not finished; the same command resumes."), False, 0, {}, ()))
        self._outbox.close(seconds)

    def _feed(self, outbox: Puts, tags: Mapping[str, str], report: Report | None) -> Feed:
        def opened(project: str, run: TrackedRun) -> None:
            self._runs[project] = run.run

        return Feed(outbox, self._make, report, group=self._whole.group, tags=tags, opened=opened)


def _masked(ending: TrackedEnd) -> TrackedEnd:
    """The end without the keys of the environment."""
    table = ending.table
    if table is not None:
        rows = tuple(
            tuple(masked(cell) if isinstance(cell, str) else cell for cell in row) for row in table.rows
        )
        table = TrackedTable(tuple(map(masked, table.columns)), rows)
    return msgspec.structs.replace(
        ending,
        cause=masked(ending.cause),
        figures={masked(name): value for name, value in ending.figures.items()},
        facts=masked_texts(ending.facts),
        table=table,
    )
