"""The home of a sweep's runs: it hands them out, writes their journals, and shares out budget and limits."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from spotui.domain.event_lines import decode_event
from spotui.domain.events import Event
from spotui.llm.leases import Pool, amounts_of
from spotui.llm.spending import Amounts
from spotui.runs.recorder import Earlier
from spotui.runs.sweep.cluster.link import Link, Message
from spotui.runs.sweep.cluster.parcel import Terms, pack
from spotui.runs.sweep.cluster.shares import Endpoint, limits_of, tell_run
from spotui.runs.sweep.progress import Progress, RunAdvanced, RunLost, RunStarted
from spotui.workspace.journal import Journal
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import Project


class Guest:
    """A run that is somewhere on the cluster, or will be.

    Args:
        name: What the pool and the workers call it.
        label: Its name for people; empty for a test, which is not reported.
        project: What it is packed from.
        path: Its journal.
        prompts: Those of a test.
        journal: Its journal, open for what comes; None where a worker writes it.
        listen: Takes its events that trackers report; None where nobody wants them.
    """

    def __init__(
        self,
        name: str,
        label: str,
        project: Project,
        path: Path,
        prompts: bytes,
        journal: Journal | None,
        listen: Callable[[Event], None] | None,
    ) -> None:
        self.name = name
        self.label = label
        self.project = project
        self.path = path
        self.prompts = prompts
        self.journal = journal
        self.listen = listen
        self.link: Link | None = None
        self.where = ""
        self.lines = 0
        self.visits = 0
        self.is_done = False

    @property
    def is_here(self) -> bool:
        """Whether a worker has it."""
        return self.link is not None


class Home:
    """Where the workers of a sweep report.

    Args:
        terms: What holds for all runs.
        mark: A file in the workspace, by which workers see whether theirs is the same.
        pool: The budget.
        tell: Called with what happens.
        token: What workers have to know.
    """

    def __init__(
        self, terms: Terms, mark: str, pool: Pool, tell: Callable[[Progress], None], token: str
    ) -> None:
        self.is_stopped = False
        self._terms = msgspec.msgpack.encode(terms)
        self._mark = mark
        self._pool = pool
        self._tell = tell
        self._token = token
        self._guests: dict[str, Guest] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._turns: set[asyncio.Task[None]] = set()

    @property
    def token(self) -> str:
        """What workers have to know."""
        return self._token

    @contextmanager
    def expecting(
        self,
        name: str,
        label: str,
        project: Project,
        path: Path,
        *,
        prompts: bytes = b"",
        is_shared: bool = False,
        listen: Callable[[Event], None] | None = None,
    ) -> Iterator[Guest]:
        """The time in which a run may come, come again after its worker was lost, and send its journal.

        Args:
            name: What the pool and the workers call it.
            label: Its name for people; empty for a test, which is not reported.
            project: What it is packed from.
            path: Its journal.
            prompts: Those of a test.
            is_shared: Whether the worker writes the journal itself.
            listen: Takes its events that trackers report.

        Raises:
            LockedError: Another process works on it.
            JournalError: Its journal is damaged.
        """
        with ExitStack() as cleanup:
            journal = None
            if not is_shared:
                lock = ProjectLock(path.parent / "lock", project.name)
                lock.acquire()
                cleanup.callback(lock.release)
                journal = cleanup.enter_context(Journal(path, writable=True))
            guest = self._guests[name] = Guest(name, label, project, path, prompts, journal, listen)
            try:
                yield guest
            finally:
                del self._guests[name]

    def stop(self) -> list[str]:
        """Ask all runs to end soon.

        Returns:
            The names of those that no worker has.
        """
        self.is_stopped = True
        for guest in self._guests.values():
            if guest.link is not None:
                guest.link.send("stop")
        return [guest.name for guest in self._guests.values() if guest.link is None]

    async def visit(self, comm: Any) -> None:
        """Talk to a worker until it leaves."""
        link = Link(comm)
        visitor: list[Guest] = []
        try:
            await link.exchange(lambda message: self._take(link, visitor, message))
        finally:
            for guest in visitor:
                self._leave(guest, link)

    def _take(self, link: Link, visitor: list[Guest], message: Message) -> None:
        if message["op"] in ("hello", "knock"):
            if message["token"] != self._token:
                link.answer(message, None)
            elif message["op"] == "knock":
                link.answer(message, {"mark": self._mark})
            else:
                self._welcome(link, visitor, message)
            return
        guest = visitor[0] if visitor else None
        if guest is None or guest.link is not link:
            return  # it was given up for lost, and another worker has the run: nothing of it counts any more
        match message["op"]:
            case "lines":
                self._write(guest, link, message)
            case "lend":
                lent = self._pool.lend(guest.name, Amounts(*message["wanted"]))
                link.answer(message, msgspec.structs.astuple(lent))
            case "bye":
                guest.is_done = True
            case "round" if guest.label:
                self._tell(RunAdvanced(run=guest.name, round=message["n"]))
            case "event" if guest.listen is not None:
                if (event := decode_event(message["line"])) is not None:
                    guest.listen(event)
            case "turn":
                turn = asyncio.create_task(self._turn(link, message))
                self._turns.add(turn)
                turn.add_done_callback(self._turns.discard)
            case "want":
                self._endpoint(message["endpoint"]).want(guest.name, message["n"])
            case "give_back":
                self._endpoint(message["endpoint"]).give_back(guest.name, message["n"])
            case "hold":
                for other in self._guests.values():
                    if other.link is not None and other is not guest:
                        tell_run(other.link, "hold", message["endpoint"], message["seconds"])
            case _:
                pass

    def _welcome(self, link: Link, visitor: list[Guest], message: Message) -> None:
        guest = self._guests.get(message["run"])
        if guest is None or visitor:
            link.answer(message, None)
            return
        if guest.link is not None:
            self._leave(guest, guest.link)
        if guest.visits:  # what was in flight when it was lost may have to be paid for
            with Journal(guest.path) as journal:
                self._pool.open(guest.name, amounts_of(Earlier(journal.lines()).spending))
        guest.visits += 1
        guest.is_done = False
        guest.link, guest.lines, guest.where = link, 0, message["worker"]
        visitor.append(guest)
        parcel = pack(guest.project, guest.path, guest.prompts)
        link.answer(message, {"terms": self._terms, "parcel": msgspec.msgpack.encode(parcel)})
        if self.is_stopped:
            link.send("stop")
        if guest.label:
            self._tell(RunStarted(run=guest.name, label=guest.label, where=message["worker"]))

    def _write(self, guest: Guest, link: Link, message: Message) -> None:
        if guest.journal is not None:
            guest.journal.append_raw(message["data"])
        guest.lines += message["count"]
        link.send("ack", n=guest.lines)

    async def _turn(self, link: Link, message: Message) -> None:
        await self._endpoint(message["endpoint"]).rates.turn(message["tokens"])
        link.answer(message, True)

    def _endpoint(self, name: str) -> Endpoint:
        if name not in self._endpoints:

            def tell(run: str, op: str, places: int) -> None:
                guest = self._guests.get(run)
                if guest is not None and guest.link is not None:
                    tell_run(guest.link, op, name, places)

            self._endpoints[name] = Endpoint(limits_of(name), tell)
        return self._endpoints[name]

    def _leave(self, guest: Guest, link: Link) -> None:
        """Take note that a worker left; what it held of endpoints is free."""
        if guest.link is not link:
            return
        guest.link = None
        for one in self._endpoints.values():
            one.leave(guest.name)
        if guest.label and not guest.is_done and not self.is_stopped:
            self._tell(RunLost(run=guest.name, label=guest.label, where=guest.where))


def mark_workspace(folder: Path, token: str) -> Path:
    """Put a file into a folder of the workspace, by which a worker sees that it has the same."""
    path = folder / f"cluster-{token[:12]}"
    path.touch(mode=0o600)
    return path


def unmark(path: Path) -> None:
    """Take that file away."""
    with suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - as it was made
