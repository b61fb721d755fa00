"""The journal: what is written comes back, and what cannot be written leaves it as it was."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spotui.domain.calls import Reply, Request
from spotui.domain.records import AnyLine, CallLine, EditLine, JournalLine
from spotui.domain.secret import Secret
from spotui.workspace import journal as journal_module
from spotui.workspace import journal as journal_sync
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalChangedError, JournalError
from tests.workspace.full_disk import no_file_beyond
from tests.workspace.journal_lines import RUN, a_call, a_round, any_line, text_of
from tests.workspace.other_process import heard, other_process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def reopened(path: Path) -> list[AnyLine]:
    """The lines that a later process finds, without the one that every journal begins with."""
    with Journal(path) as journal:
        first, *rest = journal.lines()
    assert isinstance(first, JournalLine)
    return rest


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(any_line, max_size=8))
def test_what_is_appended_comes_back_in_order_and_unchanged(lines: list[AnyLine], path: Path) -> None:
    path.unlink(missing_ok=True)
    with Journal(path, run=RUN, writable=True) as journal:
        for line in lines:
            journal.append(line)
        assert list(journal.lines())[1:] == lines
    assert reopened(path) == lines
    told: list[AnyLine] = []
    with Journal(path, each=told.append) as journal:
        assert told == list(journal.lines())
    assert len(path.read_bytes().splitlines()) == len(lines) + 1


@pytest.mark.parametrize(
    "text",
    [
        "\0",
        "a\nb\r\nc",
        "\u2028\u2029\x85",
        "\ufeff",
        "猫🐈\U0010ffff",
        '"\\',
        "<|endoftext|>",
        "x" * 1024 * 1024,
    ],
    ids=["nul", "line breaks", "odd breaks", "bom", "wide", "escapes", "token", "1 MB"],
)
def test_a_reply_is_found_again_whatever_is_in_it(text: str, path: Path) -> None:
    call = a_call(text)
    with Journal(path, run=RUN, writable=True) as journal:
        journal.append(call)
        assert text_of(journal.call(call.key, call.digest)) == text
    with Journal(path) as journal:
        assert text_of(journal.call(call.key, call.digest)) == text


def test_a_call_is_found_only_by_who_asked_and_what_was_asked(path: Path) -> None:
    calls = [a_call(f"{index} {digest}", index=index, digest=digest) for index in (0, 1) for digest in "ab"]
    with Journal(path, run=RUN, writable=True) as journal:
        for call in calls:
            journal.append(call)
    with Journal(path) as journal:
        assert [text_of(journal.call(call.key, call.digest)) for call in calls] == [
            "0 a",
            "0 b",
            "1 a",
            "1 b",
        ]
        assert journal.call(calls[0].key, "c") is None
        assert journal.call(a_call(index=2).key, "a") is None


def test_lines_can_be_appended_while_the_journal_is_read(path: Path) -> None:
    with Journal(path, run=RUN, writable=True) as journal:
        journal.append(a_round(1))
        reading = journal.lines()
        next(reading)
        journal.append(a_round(2))
        assert [line for line in reading if line != a_round(1)] == []
    assert reopened(path) == [a_round(1), a_round(2)]


def test_a_lone_surrogate_is_refused_and_leaves_the_journal_as_it_was(path: Path) -> None:
    with Journal(path, run=RUN, writable=True) as journal:
        before = path.read_bytes()
        with pytest.raises(JournalError, match="lone surrogate"):
            journal.append(EditLine(round=2, prompt="half \ud83d of it"))
        assert path.read_bytes() == before
        journal.append(a_round(1))
    assert reopened(path) == [a_round(1)]


def test_a_key_cannot_be_written(path: Path) -> None:
    with Journal(path, run=RUN, writable=True) as journal, pytest.raises(TypeError):
        journal.append(EditLine(round=2, prompt=Secret("sk-secret")))  # type: ignore[arg-type]
    assert b"sk-secret" not in path.read_bytes()


def test_no_line_has_a_field_that_a_key_or_a_header_would_fit() -> None:
    def fields(kind: object) -> Iterator[str]:
        found = msgspec.inspect.type_info(kind)
        kinds = found.types if isinstance(found, msgspec.inspect.UnionType) else (found,)
        for one in kinds:
            assert isinstance(one, msgspec.inspect.StructType)
            yield from (field.name for field in one.fields)

    names = {*fields(AnyLine), *fields(Request), *fields(Reply)}
    assert "reply" in names
    assert "messages" in names
    assert not [
        name for name in names if any(word in name for word in ("api", "header", "secret", "auth", "url"))
    ]


def test_what_was_appended_survives_a_killed_process(path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from spotui.workspace.journal import Journal
from tests.workspace.journal_lines import RUN, a_round
journal = Journal(Path(sys.argv[1]), run=RUN, writable=True)
for number in range(1, 101):
    journal.append(a_round(number))
os.kill(os.getpid(), signal.SIGKILL)
"""
    with other_process(code, path) as child:
        assert heard(child) == ""
    assert reopened(path) == [a_round(number) for number in range(1, 101)]


@pytest.mark.parametrize("fits", [0, 1, 100, 3000])
def test_a_full_disk_leaves_the_journal_as_it_was(fits: int, path: Path) -> None:
    lost = a_call("x" * 4000)
    with Journal(path, run=RUN, writable=True) as journal:
        journal.append(a_round(1))
        before = path.read_bytes()
        with (
            no_file_beyond(len(before) + fits),
            pytest.raises(JournalError, match="cannot be written") as caught,
        ):
            journal.append(lost)
        assert "resume" in caught.value.hint
        assert path.read_bytes() == before
        assert journal.call(lost.key, lost.digest) is None
        journal.append(a_call("it fits"))
    with Journal(path) as journal:
        assert journal.dropped == 0
        assert text_of(journal.call(lost.key, lost.digest)) == "it fits"


def test_a_full_disk_makes_no_new_journal(path: Path) -> None:
    with no_file_beyond(10), pytest.raises(JournalError, match="cannot be"):
        Journal(path, run=RUN, writable=True)
    with Journal(path, run=RUN, writable=True):
        pass
    assert reopened(path) == []


def test_a_reply_is_not_bought_when_it_could_not_be_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path, run=RUN, writable=True) as journal:
        monkeypatch.setattr(journal_module, "ROOM_TO_KEEP", 0)
        journal.check_room()
        monkeypatch.setattr(journal_module, "ROOM_TO_KEEP", 2**70)
        with pytest.raises(JournalError, match="full"):
            journal.check_room()


def test_room_in_a_folder_that_is_gone_is_a_journal_error(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Journal(tmp_path / "a" / "j", run=RUN, writable=True) as journal:
        (tmp_path / "a").rename(tmp_path / "b")
        with pytest.raises(JournalError, match="cannot be written"):
            journal.check_room()


def test_a_disk_that_fails_later_is_told_at_the_next_line_and_no_line_is_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = [threading.Event(), threading.Event(), threading.Event()]
    waiting = iter(synced)

    def fail_once(file: int) -> None:
        event = next(waiting, None)
        if event is synced[1]:
            event.set()
            raise OSError(5, "Input/output error")
        os.fsync(file)
        if event is not None:
            event.set()

    monkeypatch.setattr(journal_sync, "_sync", fail_once)
    journal = Journal(path, run=RUN, writable=True)
    assert synced[0].wait(60)
    journal.append(a_round(1))
    assert synced[1].wait(60)
    with pytest.raises(JournalError, match="Input/output error"):  # noqa: PT012
        for number in range(2, 100_000):
            journal.append(a_round(number))
    journal.close()
    kept = reopened(path)
    assert kept == [a_round(number) for number in range(1, len(kept) + 1)]
    assert kept


def test_a_last_line_that_did_not_reach_the_disk_is_told_at_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: int) -> None:
        raise OSError(5, "Input/output error")

    journal = Journal(path, run=RUN, writable=True)
    monkeypatch.setattr(journal_sync, "_sync", fail)
    with pytest.raises(JournalError, match="Input/output error"):
        journal.close()
    journal.close()


def test_a_closed_journal_takes_no_line(path: Path) -> None:
    with Journal(path, run=RUN, writable=True) as journal:
        pass
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append(a_round(1))


def test_a_journal_opened_for_reading_takes_no_line(path: Path) -> None:
    with Journal(path, run=RUN, writable=True) as journal:
        journal.append(a_round(1))
    before = path.read_bytes()
    with Journal(path) as journal, pytest.raises(JournalError, match="cannot be written"):
        journal.append(a_round(2))
    assert path.read_bytes() == before


def test_a_missing_journal_is_an_error_and_is_not_made(path: Path) -> None:
    for writable in (False, True):
        with pytest.raises(JournalError, match="cannot be read: No such file"):
            Journal(path, writable=writable)
    with pytest.raises(JournalError, match="cannot be read"):
        Journal(path, run=RUN)
    assert not path.exists()


@pytest.mark.parametrize("writable", [False, True])
def test_a_folder_where_the_journal_should_be_is_an_error(writable: bool, path: Path) -> None:
    path.mkdir()
    with pytest.raises(JournalError, match="Is a directory"):
        Journal(path, run=RUN, writable=writable)


def test_an_empty_journal_is_not_gone_on_with(path: Path) -> None:
    path.touch()
    with pytest.raises(JournalError, match="is empty") as caught:
        Journal(path, writable=True)
    assert "--fresh" in caught.value.hint
    with Journal(path) as journal:
        assert list(journal.lines()) == []
    assert path.read_bytes() == b""


def test_every_descriptor_is_given_back(path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 - no folder of ours

    before = descriptors(), threading.active_count()
    with Journal(path, run=RUN, writable=True) as journal:
        journal.append(a_call())
        list(journal.lines())
    path.write_bytes(b"no journal\n\n")
    for writable in (False, True):
        with pytest.raises(JournalError):
            Journal(path, writable=writable)
    assert (descriptors(), threading.active_count()) == before


def test_a_call_line_keeps_what_was_asked(path: Path) -> None:
    with Journal(path, run=RUN, writable=True) as journal:
        journal.append(a_call())
    (line,) = reopened(path)
    assert isinstance(line, CallLine)
    assert msgspec.json.decode(line.request, type=Request).messages[0].content == "A question?"


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 10)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def add(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more\n")


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


def swap(path: Path) -> None:
    before = path.rename(path.with_name("aside"))
    path.write_bytes(before.read_bytes())


@pytest.mark.parametrize("change", [cut, empty, add, replace, swap, Path.unlink])
def test_a_journal_that_another_program_changes_is_noticed_and_not_written_again(
    path: Path, change: Callable[[Path], None]
) -> None:
    with Journal(path, run=RUN, writable=True) as journal:
        journal.append(a_call())
        change(path)
        left = path.read_bytes() if path.exists() else None
        with pytest.raises(
            JournalChangedError, match=r"Another program has (changed|deleted or replaced) the journal"
        ):
            journal.append(a_round(1))
        assert (path.read_bytes() if path.exists() else None) == left


@pytest.mark.parametrize("change", [cut, empty])
def test_what_is_gone_from_a_journal_is_an_error_and_no_traceback(
    path: Path, change: Callable[[Path], None]
) -> None:
    with Journal(path, run=RUN, writable=True) as journal:
        journal.append(a_call())
        change(path)
        with pytest.raises(JournalChangedError):
            journal.call(a_call().key, "d")
        with pytest.raises(JournalChangedError):
            list(journal.lines())


def test_a_project_that_is_moved_while_it_is_open_keeps_its_journal(path: Path) -> None:
    folder = path.parent / "before"
    folder.mkdir()
    with Journal(folder / "journal.jsonl", run=RUN, writable=True) as journal:
        folder.rename(path.parent / "after")
        journal.append(a_call())
    assert reopened(path.parent / "after" / "journal.jsonl") == [a_call()]
