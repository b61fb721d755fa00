"""A model from a URL, or a file of the user's."""

import asyncio
import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotui.llm.local.catalog import read_source
from spotui.llm.local.download import LocalModelError, PullError, UnknownModelError
from spotui.llm.local.pull import PullProgress, pull
from spotui.llm.local.store import ModelStore, StoredModel
from tests.llm.local.file_server import FileServer, ServedFile

PATH = "/models/My%20Model.gguf"
MODEL = "local/my-20model"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as serving:
        yield serving


@pytest.fixture
def content(tiny_model: Path) -> bytes:
    return tiny_model.read_bytes()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def pulled(
    source: str, store: ModelStore, *, sha256: str | None = None, name: str | None = None
) -> tuple[StoredModel, list[PullProgress]]:
    told: list[PullProgress] = []
    model = asyncio.run(pull(read_source(source, name=name), store, sha256=sha256, on_progress=told.append))
    return model, told


def refusal(source: str, store: ModelStore, *, sha256: str | None = None) -> PullError:
    with pytest.raises(PullError) as caught:
        pulled(source, store, sha256=sha256)
    return caught.value


def test_a_url_is_fetched_with_progress_and_kept(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    server.files[PATH] = ServedFile(content)
    model, told = pulled(server.url + PATH, store)
    assert model.id == MODEL
    assert store.own_file(MODEL).read_bytes() == content
    assert model.sha256 == hashlib.sha256(content).hexdigest()
    assert told[0] == PullProgress("download", 0, len(content))
    assert [one.done for one in told if one.stage == "download"][-1] == len(content)


def test_a_download_that_broke_off_goes_on_where_it_stopped(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    large = content + bytes(2_000_000)
    server.files[PATH] = ServedFile(large, break_after=2_500_000)
    assert "again" in refusal(server.url + PATH, store).mend
    model, told = pulled(server.url + PATH, store)
    [kept] = [first for _, first in server.asked[1:]]
    # All but the little that had come and was not yet on its way to the disk.
    assert 2_000_000 < kept <= 2_500_000
    assert told[0].done == kept
    assert store.own_file(model.id).read_bytes() == large


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    large = content + bytes(2_000_000)
    server.files[PATH] = ServedFile(large, break_after=2_500_000)
    refusal(server.url + PATH, store)
    newer = large + b"newer"
    server.files[PATH] = ServedFile(newer, tag='"second"')
    pulled(server.url + PATH, store)
    assert store.own_file(MODEL).read_bytes() == newer


def test_a_file_with_another_hash_than_the_users_is_deleted(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    server.files[PATH] = ServedFile(content)
    assert "0" * 64 in refusal(server.url + PATH, store, sha256="0" * 64).what
    assert list(store.folder_of(MODEL).iterdir()) == []
    with pytest.raises(UnknownModelError):
        store.get(MODEL)


def test_a_hash_that_a_hub_promises_is_kept_to(server: FileServer, store: ModelStore, content: bytes) -> None:
    server.files[PATH] = ServedFile(content, headers={"X-Linked-ETag": f'"{"1" * 64}"'})
    assert "1" * 64 in refusal(server.url + PATH, store).what


def test_a_page_instead_of_a_model_is_refused(server: FileServer, store: ModelStore) -> None:
    server.files[PATH] = ServedFile(b"<html>sign in</html>")
    assert "no GGUF file" in refusal(server.url + PATH, store).what


@pytest.mark.parametrize(("status", "hint"), [(404, "nothing at"), (403, "account"), (503, "HTTP 503")])
def test_a_refusal_is_told_without_the_keys_in_the_url(
    server: FileServer, store: ModelStore, status: int, hint: str
) -> None:
    server.refusals[PATH] = status
    url = server.url.replace("//", "//user:secret@") + PATH + "?token=secret"
    error = refusal(url, store)
    assert hint in error.what
    assert "secret" not in f"{error.what} {error.mend}"


def test_a_server_that_is_down_is_told(store: ModelStore) -> None:
    assert "could not be fetched" in refusal("http://127.0.0.1:9/model.gguf", store).what


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As a full disk: the system refuses to write any further."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_disk_that_gets_full_is_told_and_the_download_goes_on_later(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    server.files[PATH] = ServedFile(content)
    with files_of_at_most(200_000):
        error = refusal(server.url + PATH, store)
    assert "full" in error.what
    pulled(server.url + PATH, store)
    assert server.asked[-1] == (PATH, 200_000)
    assert store.own_file(MODEL).read_bytes() == content


def test_a_file_of_the_users_stays_where_it_is(store: ModelStore, tiny_model: Path) -> None:
    model, told = pulled(str(tiny_model), store, name="Mine")
    assert (model.id, model.path, model.is_linked) == ("local/mine", str(tiny_model), True)
    assert {one.stage for one in told} == {"check"}
    store.remove("local/mine")
    assert tiny_model.is_file()
    assert store.models() == ()


def test_a_name_is_not_taken_from_another_model(
    server: FileServer, store: ModelStore, content: bytes, tiny_model: Path
) -> None:
    pulled(str(tiny_model), store, name="mine")
    server.files["/mine.gguf"] = ServedFile(content)
    assert "local/mine already" in refusal(f"{server.url}/mine.gguf", store).what
    assert server.asked == []
    pulled(str(tiny_model), store, name="mine")


def test_a_file_that_was_only_touched_is_hashed_once_and_used(store: ModelStore, tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF and more")
    pulled(str(file), store)
    file.touch()
    assert asyncio.run(store.checked_path("local/own")) == file
    assert store.get("local/own").mtime_ns == file.stat().st_mtime_ns


@pytest.mark.parametrize("change", [b"GGUF and less", b"GGUF", None])
def test_a_file_with_other_bytes_is_not_used(store: ModelStore, tmp_path: Path, change: bytes | None) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF and more")
    pulled(str(file), store)
    if change is None:
        file.unlink()
    else:
        file.write_bytes(change)
    with pytest.raises(LocalModelError):
        asyncio.run(store.checked_path("local/own"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("local/no-such-model", "no known model"),
        ("hf:owner", "no file of a model hub"),
        ("/no/such/file.gguf", "no file"),
    ],
)
def test_a_source_that_is_none_is_refused_before_anything_is_fetched(text: str, said: str) -> None:
    with pytest.raises(PullError, match=said):
        read_source(text)


def test_a_known_models_name_is_not_given_to_another_file(tiny_model: Path) -> None:
    with pytest.raises(PullError, match="another name"):
        read_source(str(tiny_model), name="smollm2-135m")


def test_a_file_of_a_hub_is_fetched_from_the_hub_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, server: FileServer, store: ModelStore, content: bytes
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url + "/")
    server.files["/owner/repo/resolve/main/sub/Model.gguf"] = ServedFile(content)
    model, _ = pulled("hf:owner/repo/sub/Model.gguf", store)
    assert model.id == "local/model"
