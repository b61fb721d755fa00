"""A model from a URL, or a file of the user's."""

import asyncio
import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotui.llm.local import download
from spotui.llm.local.catalog import read_source
from spotui.llm.local.files import LocalModelError, PullError, UnknownModelError
from spotui.llm.local.pull import PullProgress, pull
from spotui.llm.local.store import ModelStore, StoredModel
from tests.llm.local.file_server import FileServer, ServedFile, wait_for_size

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


def test_a_download_that_breaks_off_is_continued_at_once(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    large = content + bytes(2_000_000)
    server.files[PATH] = ServedFile(large, break_after=2_500_000)
    model, told = pulled(server.url + PATH, store)
    [(_, first), (_, second)] = server.asked
    assert first == 0
    # All but the little that had come and was not yet on its way to the disk.
    assert 2_000_000 < second <= 2_500_000
    assert PullProgress("download", second, len(large)) in told
    assert store.own_file(model.id).read_bytes() == large


def stop_a_pull(store: ModelStore, url: str, size: int) -> None:
    """Pull a model, and stop as soon as that many bytes are on the disk."""

    async def stopped() -> None:
        task = asyncio.create_task(pull(url, store))
        partial = store.folder_of(MODEL) / "pull" / "download.gguf"
        await asyncio.to_thread(wait_for_size, partial, size)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(stopped())


def test_a_download_that_was_stopped_is_continued_by_the_next_one(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    server.files[PATH] = ServedFile(content, stall_after=400_000)
    stop_a_pull(store, server.url + PATH, 300_000)
    pulled(server.url + PATH, store)
    assert 300_000 <= server.asked[-1][1] <= 400_000
    assert store.own_file(MODEL).read_bytes() == content


def test_a_download_that_never_gets_further_ends_and_keeps_what_is_here(
    monkeypatch: pytest.MonkeyPatch, server: FileServer, store: ModelStore, content: bytes
) -> None:
    monkeypatch.setattr(download, "_TRIES", 1)
    file = server.files[PATH] = ServedFile(content + bytes(2_000_000), break_after=2_500_000)

    def told(progress: PullProgress) -> None:
        if progress.done > 2_000_000 and progress.stage == "download":
            file.break_after = 0
            server.refusals[PATH] = 503

    with pytest.raises(PullError, match="503") as caught:
        asyncio.run(pull(server.url + PATH, store, on_progress=told))
    assert "Run the same command again" in caught.value.hint
    file.break_after = None
    server.refusals.clear()
    pulled(server.url + PATH, store)
    assert server.asked[-1][1] > 2_000_000


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    large = content + bytes(2_000_000)
    newer = ServedFile(large + b"newer", tag='"second"')
    server.files[PATH] = ServedFile(large, break_after=2_500_000)

    def told(progress: PullProgress) -> None:
        if progress.done > 2_000_000:
            server.files[PATH] = newer

    asyncio.run(pull(server.url + PATH, store, on_progress=told))
    assert store.own_file(MODEL).read_bytes() == newer.body


def test_a_file_that_became_shorter_is_fetched_from_its_beginning(
    server: FileServer, store: ModelStore, content: bytes
) -> None:
    server.files[PATH] = ServedFile(content + bytes(2_000_000), break_after=2_500_000)
    shorter = ServedFile(content)

    def told(progress: PullProgress) -> None:
        if progress.done > 2_000_000:
            server.files[PATH] = shorter

    asyncio.run(pull(server.url + PATH, store, on_progress=told))
    assert store.own_file(MODEL).read_bytes() == content


def test_a_key_in_the_url_is_not_written(server: FileServer, store: ModelStore, content: bytes) -> None:
    server.files[PATH] = ServedFile(content, stall_after=400_000)
    stop_a_pull(store, f"{server.url}{PATH}?token=secret", 1)
    left = [file for file in store.folder_of(MODEL).rglob("*") if file.is_file()]
    assert {file.name for file in left} == {"download.gguf", "download.json"}
    assert not any(b"secret" in file.read_bytes() for file in left)


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
    assert "is not a GGUF file" in refusal(server.url + PATH, store).what


@pytest.mark.parametrize(
    ("status", "hint"), [(404, "does not exist"), (403, "without permission"), (503, "HTTP 503")]
)
def test_a_refusal_is_told_without_the_keys_in_the_url(
    server: FileServer, store: ModelStore, status: int, hint: str
) -> None:
    server.refusals[PATH] = status
    url = server.url.replace("//", "//user:secret@") + PATH + "?token=secret"
    error = refusal(url, store)
    assert hint in error.what
    assert "secret" not in f"{error.what} {error.hint}"


def test_a_server_that_is_down_is_told(store: ModelStore) -> None:
    assert "connection was refused" in refusal("http://127.0.0.1:9/model.gguf", store).what


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
        ("local/no-such-model", "Unknown model"),
        ("hf:owner", "not a file of a model hub"),
        ("/no/such/file.gguf", "does not exist"),
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
