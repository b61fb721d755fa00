"""A run on a worker: it asks its home what to do, works, and sends every line of its journal home."""

import asyncio
import importlib.util
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.event_lines import encode_event
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
from spotui.domain.records import CallKey, CallLine
from spotui.engine.layout import Layout
from spotui.lang import _
from spotui.llm.limits import Halted
from spotui.llm.spending import Amounts
from spotui.metrics.choose import MetricChoice
from spotui.metrics.custom import MetricFile
from spotui.metrics.mark import OwnMetric
from spotui.metrics.worker import MetricWorker
from spotui.runs.means import Means, leased, only_journal
from spotui.runs.run import Run
from spotui.runs.score import open_ruler
from spotui.runs.snapshots import reopen
from spotui.runs.sweep.cluster.link import Link, Message
from spotui.runs.sweep.cluster.parcel import Parcel, Terms, launcher_for, unpack, unpack_test
from spotui.runs.sweep.cluster.shares import LeasedLimiters
from spotui.runs.trust import StartMetric, metric_seconds, start_trusted
from spotui.settings.table import RunSettings, is_embedded
from spotui.workspace.journal import Journal
from spotui.workspace.lock import LockedError
from spotui.workspace.projects import Workspace

_LOCK_SECONDS: Final = 60.0
"""How long a run on shared storage waits for the lock of a worker that was lost."""

_REPORTED: Final = (
    *(RunOpened, CandidateProposed, RoundFinished, FinalTest, FinalCheckFinished, RunStopped),
)
"""The events that trackers need, without what the run has taken when a round or the run ends."""

Answer = dict[str, Any]
"""What a task brings: `marks`, or `error` and `hint`, or `halted` and `reason`, or `lost`."""


def work(home: str, token: str, name: str) -> Answer:
    """Work on a run, or on a test, until it ends; this is the task of the cluster.

    Args:
        home: The address of the home.
        token: What the home knows its workers by.
        name: The run.
    """
    from distributed import get_worker

    try:
        return asyncio.run(_work(home, token, name, get_worker()))
    except HomeLostError as error:
        return {"lost": error.what}
    except SpotuiError as error:
        return {"error": error.what, "hint": error.hint}
    except Halted as halt:
        return {"halted": halt.cause, "reason": halt.reason}


class HomeLostError(SpotuiError):
    """The home of a sweep cannot be reached; whoever works for it stops."""

    def __init__(self, home: str) -> None:
        super().__init__(_("The sweep at {home} cannot be reached any more.", home=home))


async def connected(home: str, worker: Any) -> Link:
    """A connection to the home.

    Args:
        home: Its address.
        worker: Dask's worker, which knows how connections are encrypted.

    Raises:
        OSError: It cannot be reached.
    """
    from distributed.comm import connect

    arguments = worker.security.get_connection_args("worker")
    return Link(await connect(home, timeout=10, deserialize=False, **arguments))


class _Guest:
    """One run on this worker.

    Args:
        link: The way home.
    """

    def __init__(self, link: Link) -> None:
        self.limiters = LeasedLimiters(link)
        self.run: Run | None = None
        self.is_stopped = False
        self._link = link
        self._sent = self._at_home = 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def take(self, message: Message) -> None:
        """Take a message of home."""
        match message["op"]:
            case "ack":
                self._at_home = message["n"]
                for number, waiter in self._waiting:
                    if number <= self._at_home and not waiter.done():
                        waiter.set_result(None)
                self._waiting = [one for one in self._waiting if one[0] > self._at_home]
            case "stop":
                self.is_stopped = True
                if self.run is not None:
                    self.run.stop()
            case _:
                self.limiters.take(message)

    def follow(self, journal: Journal) -> "_Followed":
        """A journal whose lines go home."""
        journal.follow(self._forward)
        return _Followed(journal, self.delivered)

    async def delivered(self) -> None:
        """Wait until every line so far is at home."""
        if self._at_home < self._sent:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append((self._sent, waiter))
            await waiter

    async def lend(self, wanted: Amounts) -> Amounts:
        """Ask home for a part of the budget."""
        return Amounts(*await self._link.ask("lend", wanted=msgspec.structs.astuple(wanted)))

    def _forward(self, raw: bytes) -> None:
        self._sent += 1
        self._link.send_line(raw)


class _Followed:
    """A journal; a call is finished only when its line is at home, too."""

    def __init__(self, journal: Journal, delivered: Any) -> None:
        self._journal = journal
        self.settled = delivered
        self.holds, self.append, self.check_room = journal.holds, journal.append, journal.check_room

    def call(self, key: CallKey, digest: str) -> CallLine | None:
        """See `Journal.call`."""
        return self._journal.call(key, digest)


async def _work(home: str, token: str, name: str, worker: Any) -> Answer:
    try:
        link = await connected(home, worker)
    except OSError:
        raise HomeLostError(home) from None
    guest = _Guest(link)
    talking = asyncio.create_task(link.exchange(guest.take))
    working = asyncio.create_task(_visit(link, guest, token, name, worker.address))
    try:
        await asyncio.wait((talking, working), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HomeLostError(home)
        answer = working.result()
        link.send("bye")
        await link.flush()
        return answer
    finally:
        for task in (working, talking):
            task.cancel()
        await asyncio.gather(working, talking, return_exceptions=True)


async def _visit(link: Link, guest: _Guest, token: str, name: str, address: str) -> Answer:
    """Get the run from home, work on it, and see that everything is at home."""
    got = await link.ask("hello", token=token, run=name, worker=address)
    if got is None:
        raise SpotuiError(_("The sweep does not want {run} any more.", run=name))
    terms = msgspec.msgpack.decode(got["terms"], type=Terms)
    parcel = msgspec.msgpack.decode(got["parcel"], type=Parcel)
    with tempfile.TemporaryDirectory(prefix="spotui-") as folder:
        answer = await _do(link, guest, terms, parcel, Path(folder))
        await guest.delivered()
    return answer


async def _do(link: Link, guest: _Guest, terms: Terms, parcel: Parcel, folder: Path) -> Answer:
    means = leased(terms.budget, guest.lend, only_journal if terms.shared else guest.follow)
    start = _metric_of(parcel, folder)
    if parcel.prompts:
        return await _test(guest, terms, parcel, folder, means, start)
    project = (
        Workspace(Path(terms.shared)).project(parcel.project) if terms.shared else unpack(parcel, folder)
    )
    launcher = launcher_for(terms, reopen(project).settings, os.environ, guest.limiters)
    run = guest.run = Run(project, launcher.connections, means=means, start_metric=start)

    def tell(event: Event) -> None:
        if isinstance(event, RoundFinished):
            link.send("round", n=event.round)

    run.subscribe(tell)
    if terms.reports:
        run.subscribe(_reporter(link))
    if guest.is_stopped:
        run.stop()
    await _with_lock(run)
    return {}


def _reporter(link: Link) -> Callable[[Event], None]:
    """Sends home what home's trackers report: no worker needs their packages or keys."""
    spent: SpendingChanged | None = None

    def report(event: Event) -> None:
        nonlocal spent
        if isinstance(event, SpendingChanged):  # there is one after every call
            spent = event
        elif isinstance(event, _REPORTED):
            if spent is not None and isinstance(event, RoundFinished | RunStopped):
                link.send("event", line=encode_event(spent))
                spent = None
            link.send("event", line=encode_event(event))

    return report


async def _with_lock(run: Run) -> None:
    """Work on a run; on shared storage, the lock of a lost worker may take a while to go."""
    deadline = asyncio.get_running_loop().time() + _LOCK_SECONDS
    while True:
        try:
            await run.go()
        except LockedError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(1)
        else:
            return


async def _test(
    guest: _Guest, terms: Terms, parcel: Parcel, folder: Path, means: Means, start: StartMetric
) -> Answer:
    prepared, kept = reopen(unpack(parcel, folder)), unpack_test(parcel, folder)
    launcher = launcher_for(terms, prepared.settings, os.environ, guest.limiters)
    prompts = msgspec.json.decode(parcel.prompts, type=list[tuple[str, Layout]])
    connections = launcher.connections(prepared.settings)
    async with open_ruler(prepared, kept, connections, _ignore, means, start_metric=start) as ruler:
        found = await ruler.measure(prompts, "test")
    return {"marks": [list(one.marks) for one in found]}


def _metric_of(parcel: Parcel, folder: Path) -> StartMetric:
    """Starts the custom metric that came along; home's user has trusted it."""
    if parcel.metric is None:
        return start_trusted

    name, source, function = parcel.metric
    file = MetricFile(name, folder / "metric.py", source, function)

    def start(choice: MetricChoice, folder: Path) -> OwnMetric:
        if choice.name != name:
            return start_trusted(choice, folder)
        return MetricWorker(file, **metric_seconds(choice))

    return start


def _ignore(_event: Event) -> None:
    """What the test asks is not worth a line."""


async def probe(
    home: str, token: str, terms: bytes, every: list[bytes], packages: list[str], dask_worker: Any = None
) -> list[str]:
    """Whatever keeps a worker from working on a sweep, a sentence each.

    Args:
        home: The address of the home.
        token: What the home knows its workers by.
        terms: What holds for all runs.
        every: The settings of all runs.
        packages: Modules that methods and metrics need.
        dask_worker: The worker, which Dask hands over.
    """
    faults: list[str] = []
    agreed = msgspec.msgpack.decode(terms, type=Terms)
    try:
        link = await connected(home, dask_worker)
        talking = asyncio.create_task(link.exchange(lambda _message: None))
        seen = await asyncio.wait_for(link.ask("knock", token=token), 10)
        talking.cancel()
    except (OSError, TimeoutError):
        return [_("it cannot reach the sweep at {home}", home=home)]
    faults += [
        _("it lacks the package {name}", name=one) for one in packages if not importlib.util.find_spec(one)
    ]
    if agreed.shared and not (Path(agreed.shared) / seen["mark"]).exists():
        faults.append(_("it does not see the workspace {folder}", folder=agreed.shared))
    for raw in every:
        settings = msgspec.json.decode(raw, type=RunSettings)
        faults += _missing(agreed, settings)
    return list(dict.fromkeys(faults))


def _missing(terms: Terms, settings: RunSettings) -> list[str]:
    """What a worker lacks for runs with these settings."""
    try:
        connector = launcher_for(terms, settings, os.environ).connector(settings)
        for model in settings.models:
            connector.route_to(model)
    except SpotuiError as error:
        return [str(error).rstrip(".")]
    embedded = [model for model in settings.models if is_embedded(model)]
    if not embedded:
        return []
    from spotui.llm.local.store import ModelStore
    from spotui.settings import locations

    here = {one.id for one in ModelStore(locations.models_dir()).models()}
    return [
        _("it lacks the model {model}; run 'spotui models pull {model}' there", model=one)
        for one in embedded
        if one not in here
    ]
