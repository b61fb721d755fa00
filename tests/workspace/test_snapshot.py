"""run.yaml: what a run was started with comes back to the letter."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spotui.workspace.snapshot import (
    SNAPSHOT_VERSION,
    Origin,
    Snapshot,
    SnapshotError,
    read_snapshot,
    write_snapshot,
)
from tests.workspace.full_disk import no_file_beyond
from tests.workspace.snapshots import a_snapshot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.yaml"


texts = st.text(max_size=60) | st.text("\n :#-|>'\"\t ab", max_size=60)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
snapshots = st.builds(
    Snapshot,
    version=st.just(1),
    run=texts,
    created=st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    method=texts,
    template_name=texts,
    template=texts,
    questions=st.lists(st.integers(0, 99), max_size=4).map(tuple),
    held_out=st.lists(st.integers(0, 99), max_size=4).map(tuple),
    settings=st.dictionaries(texts, values, max_size=4),
    origin=st.none() | st.builds(Origin, texts, st.integers(1, 99)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(snapshot=snapshots)
def test_every_text_and_setting_comes_back_to_the_letter(snapshot: Snapshot, path: Path) -> None:
    write_snapshot(path, snapshot)
    assert read_snapshot(path) == snapshot


@pytest.mark.parametrize(
    "text",
    [
        "a\x85b",
        "a\n\u2028b",
        "\u2029",
        "a\r\nb\rc",
        "  lead\n",
        "\n\n x",
        "x \ny",
        "\ufeffx",
        "\x7f\0",
        "🐈\n猫",
    ],
)
def test_line_breaks_and_blanks_that_yaml_likes_to_change_stay(text: str, path: Path) -> None:
    write_snapshot(path, a_snapshot(template=text))
    assert read_snapshot(path).template == text


@pytest.mark.parametrize(
    "text", ["null", "None", "~", "yes", "12", "1e3", "2026-01-01", "0x1f", "1:30", "", "="]
)
def test_a_text_that_looks_like_something_else_stays_a_text(text: str, path: Path) -> None:
    write_snapshot(path, a_snapshot(template=text, settings={"model": text}))
    snapshot = read_snapshot(path)
    assert (snapshot.template, snapshot.settings["model"]) == (text, text)


def test_the_template_can_be_read_by_a_person(path: Path) -> None:
    write_snapshot(path, a_snapshot(template="prompt: Tell me.\nrequirements: 短い\n"))
    assert "template: |\n  prompt: Tell me.\n  requirements: 短い\n" in path.read_text(encoding="utf-8")
    assert "origin" not in path.read_text(encoding="utf-8")


def test_a_full_disk_keeps_the_old_snapshot(path: Path) -> None:
    write_snapshot(path, a_snapshot(template="old"))
    with no_file_beyond(100), pytest.raises(OSError, match="too large"):
        write_snapshot(path, a_snapshot(template="new" * 100))
    assert read_snapshot(path).template == "old"


def test_a_file_that_was_cut_off_is_damaged_wherever_it_ends(path: Path) -> None:
    write_snapshot(path, msgspec.structs.replace(a_snapshot(), version=SNAPSHOT_VERSION))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(SnapshotError, match="is damaged"):
            read_snapshot(path)


def changed(path: Path, **changes: Any) -> None:
    """Write a sound snapshot with some keys changed; None takes a key out."""
    write_snapshot(path, a_snapshot())
    data = {**yaml.safe_load(path.read_text()), **changes}
    path.write_text(yaml.safe_dump({key: value for key, value in data.items() if value is not None}))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"run": None}, "run"),
        ({"questions": ["one"]}, "int"),
        ({"created": "yesterday"}, "datetime"),
        ({"mood": "calm"}, "mood"),
        ({"settings": []}, "object"),
        ({"version": "one"}, "version"),
    ],
)
def test_a_wrong_key_is_named(changes: dict[str, Any], why: str, path: Path) -> None:
    changed(path, **changes)
    with pytest.raises(SnapshotError, match=why) as caught:
        read_snapshot(path)
    assert str(path) in caught.value.what
    assert "\n" not in str(caught.value)


def test_a_newer_format_says_update(path: Path) -> None:
    changed(path, version=SNAPSHOT_VERSION + 1, mood="calm")
    with pytest.raises(SnapshotError, match="newer spotui") as caught:
        read_snapshot(path)
    assert "Update" in caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a: [",
        b"\xff",
        b"\0",
        b"- 1",
        b"text",
        b"created: 2026-02-31",
        b"[" * 10_000,
        b"!!python/none x: 1",
    ],
    ids=["empty", "torn", "no text", "zero", "list", "words", "no such day", "deep", "tag"],
)
def test_a_damaged_file_is_a_clear_error_and_left_as_it_is(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    with pytest.raises(SnapshotError, match="is damaged") as caught:
        read_snapshot(path)
    assert "backup" in caught.value.hint
    assert path.read_bytes() == data


def test_a_missing_file_or_a_folder_is_a_clear_error(path: Path) -> None:
    with pytest.raises(SnapshotError, match="cannot be read: No such file"):
        read_snapshot(path)
    path.mkdir()
    with pytest.raises(SnapshotError, match="cannot be read: Is a directory"):
        read_snapshot(path)
