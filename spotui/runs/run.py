"""A run, as a front end holds it: listeners, commands, and the work itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final

from spotui.domain.commands import AnyCommand, Stop
from spotui.domain.events import (
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    Event,
    Noticed,
    RunStopped,
    StateChanged,
)
from spotui.llm.connections import Connections
from spotui.llm.door import Trouble
from spotui.runs.means import ALONE, Means
from spotui.runs.session import RAISED_BY_A_LISTENER, BatchMode, Session, open_session
from spotui.runs.trust import StartMetric, start_trusted
from spotui.settings.table import RunSettings
from spotui.workspace.projects import Project

_SPENDING: Final = (CallFinished, CallDropped, CallRetried, StateChanged)


class Run:
    """One session of work on a project: what the journal holds is replayed, the rest is bought.

    Args:
        project: A project of ours.
        connect: Makes the connections from the run's settings.
        on_trouble: What happens when a call fails for good: wait for a person, or end the run.
        changes: Limits that differ from those the run has; they are journalled.
        start_metric: Starts a custom metric.
        means: What the run shares with others: its budget, and where its journal goes beside its file.
        batch_mode: How this session works with batches.

    Attributes:
        while_open: Entered while the project is held, such as to serve the run to others.
    """

    def __init__(
        self,
        project: Project,
        connect: Callable[[RunSettings], Connections],
        *,
        on_trouble: Trouble = "halt",
        changes: Mapping[str, float | int | None] | None = None,
        start_metric: StartMetric = start_trusted,
        means: Means = ALONE,
        batch_mode: BatchMode = BatchMode(),  # noqa: B008 - it is frozen
    ) -> None:
        self.project = project
        self.while_open: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
        self._connect = connect
        self._on_trouble = on_trouble
        self._changes = dict(changes or {})
        self._start_metric = start_metric
        self._means = means
        self._batch_mode = batch_mode
        self._listeners: list[Callable[[Event], None]] = []
        self._streamers: list[Callable[[CallDelta], None]] = []
        self._early: list[AnyCommand] = []
        self._session: Session | None = None

    def subscribe(self, listener: Callable[[Event], None], *, deltas: bool = False) -> None:
        """Tell a listener everything from now on; it is called on the event loop and must not block.

        Args:
            listener: Called with every event, in order.
            deltas: Whether it wants every piece of every reply, too.
        """
        self._listeners.append(listener)
        if deltas:
            self.stream_to(listener)

    def stream_to(self, listener: Callable[[CallDelta], None]) -> None:
        """Tell a listener every piece of every reply, and nothing else, until `stop_streaming_to`."""
        self._streamers.append(listener)
        self._tell_door()

    def stop_streaming_to(self, listener: Callable[[CallDelta], None]) -> None:
        """Tell a listener of `stream_to` no more; pieces that nobody wants are not made."""
        self._streamers.remove(listener)
        self._tell_door()

    def command(self, command: AnyCommand) -> None:
        """Tell the run something; before it is open, the command waits."""
        if self._session is None:
            self._early.append(command)
        else:
            self._session.commands.carry_out(command)

    def notice(self, text: str) -> None:
        """Tell listeners a sentence about something beside the run, on the event loop."""
        self._emit(Noticed(text=text, level="warning"))

    def stop(self) -> None:
        """Give the calls in flight some seconds to finish, keep the best, and end."""
        self.command(Stop())

    async def go(self) -> RunStopped:
        """Work on the project until there is a reason to stop.

        Cancelling this closes every connection; what was in flight is lost, nothing else.

        Returns:
            The last event: why it stopped, and what is best.

        Raises:
            SpotuiError: The run could not begin: locked, damaged, or a role that leads nowhere.
        """
        async with open_session(
            self.project,
            self._connect,
            on_trouble=self._on_trouble,
            changes=self._changes,
            emit=self._emit,
            start_metric=self._start_metric,
            means=self._means,
            batch_mode=self._batch_mode,
        ) as session:
            self._session = session
            self._tell_door()
            try:
                async with self.while_open():
                    session.announce()
                    early, self._early = self._early, []
                    for command in early:
                        session.commands.carry_out(command)
                    return await session.work()
            finally:
                self._session = None

    def go_blocking(self) -> RunStopped:
        """Work on the project as `go` does, and wait for it; in another thread where this one has a loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.go())
        begun: Future[Callable[[], object]] = Future()

        async def cancellable() -> RunStopped:
            task, loop = asyncio.current_task(), asyncio.get_running_loop()
            assert task is not None  # noqa: S101 - a coroutine always runs in one
            begun.set_result(lambda: loop.call_soon_threadsafe(task.cancel))
            return await self.go()

        with ThreadPoolExecutor(1, "spotui") as thread:
            done = thread.submit(asyncio.run, cancellable())
            try:
                return done.result()
            except KeyboardInterrupt:  # it came to this thread; the other one works until it is cancelled
                begun.result()()
                raise

    async def events(self) -> AsyncIterator[Event]:
        """Do the work and tell what happens; the last event is RunStopped.

        Raises:
            SpotuiError: The run could not begin.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.subscribe(queue.put_nowait, deltas=True)
        work = asyncio.create_task(self.go())
        work.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (event := await queue.get()) is not None:
                yield event
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def _emit(self, event: Event) -> None:
        try:
            if isinstance(event, CallDelta):
                for streamer in self._streamers:
                    streamer(event)
                return
            for listener in self._listeners:
                listener(event)
            if isinstance(event, _SPENDING):
                self._emit_spending(event)
        except Exception as error:
            error.add_note(RAISED_BY_A_LISTENER)
            raise

    def _emit_spending(self, event: Event) -> None:
        """Tell what the run has cost after an event that may have changed it.

        A pause stops the clock of the run, which a listener would not notice otherwise.
        """
        if isinstance(event, CallFinished) and event.recorded:
            return  # it cost nothing now
        if self._session is not None:
            spending = self._session.spending()
            for listener in self._listeners:
                listener(spending)

    def _tell_door(self) -> None:
        if self._session is not None:
            self._session.door.streams = bool(self._streamers)
