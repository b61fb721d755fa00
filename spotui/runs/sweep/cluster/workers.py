"""The workers of a Dask cluster: every run is a task, where there is room, and elsewhere after a loss."""

import asyncio
import pkgutil
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.version import VERSION
from spotui.lang import _, as_english
from spotui.llm.leases import Pool
from spotui.llm.limits import Halted
from spotui.runs.recorder import rewrite_files
from spotui.runs.score import open_kept
from spotui.runs.snapshots import new_project
from spotui.runs.sweep.cluster.home import Guest, Home, mark_workspace, unmark
from spotui.runs.sweep.cluster.parcel import Terms, keys_to_send
from spotui.runs.sweep.cluster.worker import Answer, probe, work
from spotui.runs.sweep.progress import Noted, Progress
from spotui.runs.sweep.testing import Marks, Test
from spotui.runs.sweep.work import Job
from spotui.settings.table import RunSettings
from spotui.workspace.projects import Workspace
from spotui.workspace.sweep_file import SweepFolder

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher

_LOSSES: Final = 10
"""So many lost workers in a row without a new line in the journal say that the run itself ends them."""

_CONNECT_SECONDS: Final = 15
_LOOK_SECONDS: Final = 5.0
_SCHEMES: Final = {"dask": "tcp", "tcp": "tcp", "tls": "tls"}


class Cluster(NamedTuple):
    """Where a cluster is, and how its workers find back.

    Attributes:
        scheduler: The address of the scheduler, as Dask writes it.
        home: The host, and perhaps the port, at which workers reach this machine; empty to find it.
    """

    scheduler: str
    home: str = ""

    @property
    def is_private(self) -> bool:
        """Whether nobody else can read along: it is encrypted, or all on this machine."""
        parts = urlsplit(self.scheduler)
        return parts.scheme == "tls" or parts.hostname in ("127.0.0.1", "::1", "localhost")


class ClusterError(SpotuiError):
    """A cluster that a sweep cannot work on."""


def read_cluster(address: str, home: str = "") -> Cluster:
    """The address of a cluster as a person types it.

    Raises:
        ClusterError: It is none, or `distributed` is not installed.
    """
    parts = urlsplit(address)
    try:
        is_right = parts.scheme in _SCHEMES and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        is_right = False
    if not is_right:
        raise ClusterError(
            _("{address} is not the address of a cluster.", address=address),
            _("Write dask://HOST:PORT, or tls://HOST:PORT for an encrypted one."),
        )
    if find_spec("distributed") is None:
        raise ClusterError(
            _("A sweep on a cluster needs Dask's package distributed, which is not installed."),
            _("Install it: pip install 'spotui[cluster]'"),
        )
    return Cluster(f"{_SCHEMES[parts.scheme]}://{parts.netloc}", home)


class ClusterWorkers:
    """Works on runs on the workers of a cluster; made by `open_workers`.

    Args:
        client: Dask's.
        home: Where the workers report.
        address: Where they find it.
        folder: Where the sweep is kept.
        size: How many runs work at once.
        is_shared: Whether workers write the workspace themselves.

    Attributes:
        size: See above.
    """

    def __init__(
        self, client: Any, home: Home, address: str, folder: SweepFolder, size: int, *, is_shared: bool
    ) -> None:
        self.size = size
        self._client = client
        self._home = home
        self._address = address
        self._folder = folder
        self._is_shared = is_shared
        self._futures: dict[str, Any] = {}
        self._number = 0

    async def run(self, job: Job) -> None:
        """See `Workers.run`."""
        name, project = job.cell.name, job.project
        with self._home.expecting(
            name, job.cell.label, project, project.journal, is_shared=self._is_shared, listen=job.listen
        ) as guest:
            answer = await self._ask(guest)
        _check(answer)
        if not self._is_shared:
            rewrite_files(project)

    async def test(self, test: Test) -> list[Marks]:
        """See `Workers.test`."""
        folder = self._folder.tests(test.group)
        with open_kept(folder):  # it makes the journal of the first time
            pass
        building = Path(tempfile.mkdtemp(prefix="spotui-"))
        try:
            project = new_project(Workspace(building), "test", test.prepared)
            prompts = msgspec.json.encode(list(test.prompts), enc_hook=as_english)
            with self._home.expecting(
                test.name, "", project, folder / "journal.jsonl", prompts=prompts
            ) as guest:
                answer = await self._ask(guest)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        _check(answer)
        return [tuple(marks) for marks in answer.get("marks", ())]

    def stop(self) -> None:
        """See `Workers.stop`."""
        for name in self._home.stop():
            if future := self._futures.get(name):
                asyncio.ensure_future(future.cancel())  # noqa: RUF006 - the loop outlives it

    async def _ask(self, guest: Guest) -> Answer:
        """Let some worker do a run, and another one if it is lost.

        Raises:
            ClusterError: The scheduler is gone, or the run ends every worker that has it.
        """
        losses, before = 0, -1
        while True:
            self._number += 1
            key = f"spotui-{self._home.token[:8]}-{self._number}"
            future = self._client.submit(
                work, self._address, self._home.token, guest.name, key=key, pure=False, retries=0
            )
            self._futures[guest.name] = future
            try:
                answer: Answer = await future
            except Exception as error:  # noqa: BLE001 - of Dask, or of what the worker could not import
                if self._home.is_stopped:
                    return {}
                why = f"{type(error).__name__}: {error}".splitlines()[0]
            else:
                if "lost" not in answer:
                    return answer
                why = str(answer["lost"])
            finally:
                self._futures.pop(guest.name, None)
            if self._client.status != "running":
                raise ClusterError(_("The cluster's scheduler is gone."), _("The same command resumes."))
            size = guest.path.stat().st_size
            losses, before = (losses + 1 if size == before else 0), size
            if losses >= _LOSSES:
                raise ClusterError(_("{n} workers that had it were lost: {why}", n=losses, why=why))


def _check(answer: Answer) -> None:
    """Raise what a worker could not do.

    Raises:
        SpotuiError: It could not begin.
        Halted: A call of a test failed for good, or the budget is spent.
    """
    if "error" in answer:
        raise SpotuiError(answer["error"], answer.get("hint", ""))
    if "halted" in answer:
        raise Halted(answer["reason"], answer["halted"])


@asynccontextmanager
async def _client_of(cluster: Cluster) -> AsyncIterator[Any]:
    """A client of a cluster.

    Raises:
        ClusterError: It cannot be reached, or the certificates are wrong.
    """
    from distributed import Client

    try:
        client = await Client(
            cluster.scheduler, asynchronous=True, timeout=_CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClusterError(
            _(
                "The cluster at {address} cannot be reached: {what}.",
                address=cluster.scheduler,
                what=what.rstrip("."),
            ),
            _(
                "Check the address and that 'dask scheduler' runs there; certificates for tls:// are set in "
                "Dask's configuration."
            ),
        ) from None
    try:
        yield client
    finally:
        with suppress(OSError, TimeoutError):
            await client.close(timeout=2)


def slots_of(cluster: Cluster) -> int:
    """How many runs a cluster can work on at once, once its workers were found fit.

    Raises:
        ClusterError: It cannot be reached, has no workers, or these have no spotui or another version.
    """

    async def look() -> int:
        async with _client_of(cluster) as client:
            return await _fit_slots(client, cluster)

    return asyncio.run(look())


async def _workers_of(client: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (await client.scheduler.identity(n_workers=-1))["workers"]
    return found


async def _fit_slots(client: Any, cluster: Cluster) -> int:
    workers = await _workers_of(client)
    if not workers:
        raise ClusterError(
            _("The cluster at {address} has no workers.", address=cluster.scheduler),
            _("Start some: dask worker {address}", address=cluster.scheduler),
        )
    found = await client.run(pkgutil.resolve_name, "spotui.domain.version:VERSION", on_error="return")
    for address, version in sorted(found.items()):
        if isinstance(version, Exception):
            raise ClusterError(
                _("spotui is not installed on the worker {address}.", address=address),
                _("Install it on every worker: pip install spotui=={version}", version=VERSION),
            )
        if version != VERSION:
            raise ClusterError(
                _(
                    "The worker {address} has spotui {other}, and this machine has {version}.",
                    address=address,
                    other=version,
                    version=VERSION,
                ),
                _("Install the same on every worker: pip install spotui=={version}", version=VERSION),
            )
    return max(1, sum(int(one["nthreads"]) for one in workers.values()))


class Wishes(NamedTuple):
    """How a cluster is to be used.

    Attributes:
        size: Runs at once, at most.
        is_shared: Whether workers write the workspace themselves.
        sends_keys: Whether keys travel.
        settings: Those of all kinds of runs.
        packages: Modules that their methods and metrics need.
        reports: Whether this machine reports the runs to trackers.
    """

    size: int
    is_shared: bool
    sends_keys: bool
    settings: Sequence[RunSettings]
    packages: Sequence[str]
    reports: bool = False


@asynccontextmanager
async def open_workers(
    cluster: Cluster,
    launcher: "Launcher",
    folder: SweepFolder,
    pool: Pool,
    tell: Callable[[Progress], None],
    wishes: Wishes,
) -> AsyncIterator[ClusterWorkers]:
    """The workers of a cluster, which were asked whether they lack anything.

    Args:
        cluster: Where the cluster is.
        launcher: Of this machine.
        folder: Where the sweep is kept.
        pool: The budget.
        tell: Called with what happens.
        wishes: How it is to be used.

    Raises:
        ClusterError: It cannot be used like that.
        SettingsError: A key is missing here.
    """
    from distributed.comm import listen

    if wishes.sends_keys and not cluster.is_private:
        raise ClusterError(
            _("{address} is not encrypted, so no key is sent there.", address=cluster.scheduler),
            _("Use a tls:// cluster, or set the keys on the workers and leave --send-keys out."),
        )
    for one in wishes.settings:
        if one.program.command:
            raise ClusterError(
                _("The executor is a program on this machine, which workers cannot start."),
                _("Serve it at a URL, or run the sweep without --on."),
            )
    models, keys = dict(launcher.config.config.models), dict[str, str]()
    if wishes.sends_keys:
        models, keys = keys_to_send(launcher, list(wishes.settings))
    shared = str(folder.workspace.root.resolve()) if wishes.is_shared else ""
    terms = Terms(budget=pool.limits, models=models, keys=keys, shared=shared, reports=wishes.reports)
    token = secrets.token_hex(16)
    mark = mark_workspace(folder.folder, token)
    try:
        async with _client_of(cluster) as client:
            await _fit_slots(client, cluster)
            home = Home(terms, str(mark.relative_to(folder.workspace.root)), pool, tell, token)
            listener = await _listen(listen, client, cluster, home)
            try:
                address = _address(listener, cluster)
                await _ask_workers(client, address, token, terms, wishes)
                watching = asyncio.create_task(_watch(client, tell))
                workers = ClusterWorkers(
                    client, home, address, folder, wishes.size, is_shared=wishes.is_shared
                )
                try:
                    yield workers
                finally:
                    watching.cancel()
            finally:
                listener.stop()
    finally:
        unmark(mark)


async def _listen(listen: Any, client: Any, cluster: Cluster, home: Home) -> Any:
    from distributed.utils import get_ip

    parts = urlsplit(cluster.scheduler)
    named, _colon, port = (
        cluster.home.rpartition(":") if cluster.home.rpartition(":")[2].isdigit() else (cluster.home, "", "")
    )
    host = "0.0.0.0" if named else get_ip(parts.hostname or "127.0.0.1")  # noqa: S104 - the user names the way
    address = f"{parts.scheme}://{host}:{port or 0}"
    listener = listen(address, home.visit, deserialize=False, **client.security.get_listen_args("client"))
    try:
        return await listener
    except OSError as error:
        raise ClusterError(
            _(
                "{address} cannot be listened on: {error}.",
                address=address,
                error=error.strerror or str(error),
            ),
            _("Name another port with --home HOST:PORT."),
        ) from None


def _address(listener: Any, cluster: Cluster) -> str:
    """Where workers find this machine."""
    found = urlsplit(str(listener.contact_address))
    if not cluster.home:
        return str(listener.contact_address)
    named = cluster.home if cluster.home.rpartition(":")[2].isdigit() else f"{cluster.home}:{found.port}"
    return f"{found.scheme}://{named}"


async def _ask_workers(client: Any, address: str, token: str, terms: Terms, wishes: Wishes) -> None:
    every = list(dict.fromkeys(msgspec.json.encode(one, enc_hook=as_english) for one in wishes.settings))
    without_keys = msgspec.structs.replace(terms, keys=dict.fromkeys(terms.keys, "sent"))
    found = await client.run(
        probe,
        address,
        token,
        msgspec.msgpack.encode(without_keys),
        every,
        list(wishes.packages),
        on_error="return",
    )
    for worker, faults in sorted(found.items()):
        if isinstance(faults, Exception):
            raise ClusterError(
                _(
                    "The worker {worker} cannot work on a sweep: {error}.",
                    worker=worker,
                    error=str(faults).rstrip("."),
                )
            )
        if faults:
            raise ClusterError(
                _(
                    "The worker {worker} cannot work on a sweep: {faults}.",
                    worker=worker,
                    faults="; ".join(faults),
                ),
                _(
                    "Fix it there. Where it cannot reach this machine, name an address with --home; where a "
                    "key is missing, --send-keys sends yours."
                ),
            )


async def _watch(client: Any, tell: Callable[[Progress], None]) -> None:
    """Say once when no worker is left."""
    was_empty = False
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        is_empty = not await _workers_of(client)
        if is_empty and not was_empty:
            tell(Noted(text=_("No worker is left; waiting for one. Ctrl-C keeps everything.")))
        was_empty = is_empty
