"""Reading a journal: a torn end is dropped, damage in the middle is named, a newer format is left alone."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spotui.domain.records import AnyLine, EditLine, Line, RoundLine, StopLine
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError, read_lines
from tests.workspace.journal_lines import AT, RUN, a_call, a_round, any_line


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def write(path: Path, *lines: Line) -> list[bytes]:
    """A sound journal; returns its lines as they stand in the file."""
    path.unlink(missing_ok=True)
    with Journal(path, run=RUN, writable=True) as journal:
        for line in lines:
            journal.append(line)
    return path.read_bytes().splitlines(keepends=True)


def after_the_first(path: Path) -> list[AnyLine]:
    with Journal(path) as journal:
        return list(journal.lines())[1:]


LAST_LINES = {
    "edit": EditLine(at=AT, round=2, prompt="猫 \0 \n"),
    "call": a_call("猫"),
    "round": a_round(2),
}


@pytest.mark.parametrize("last", LAST_LINES.values(), ids=LAST_LINES)
def test_a_last_line_torn_at_any_byte_is_dropped_and_the_next_is_sound(last: Line, path: Path) -> None:
    first, kept, torn = write(path, a_round(1), last)
    for length in range(1, len(torn)):
        path.write_bytes(first + kept + torn[:length])
        with Journal(path, writable=True) as journal:
            assert journal.dropped == length
            assert list(journal.lines())[1:] == [a_round(1)]
            assert journal.call(a_call().key, a_call().digest) is None
            journal.append(a_round(3))
        assert path.read_bytes().startswith(first + kept)
        with Journal(path) as journal:
            assert journal.dropped == 0
            assert list(journal.lines())[1:] == [a_round(1), a_round(3)]


def test_a_first_line_torn_at_any_byte_is_written_anew(path: Path) -> None:
    (whole,) = write(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(JournalError, match="is empty"):
            Journal(path, writable=True)
        assert path.read_bytes() == whole[:length]
        with Journal(path, run=RUN, writable=True) as journal:
            journal.append(a_round(1))
        assert after_the_first(path) == [a_round(1)]


def test_reading_a_torn_journal_changes_nothing(path: Path) -> None:
    write(path, a_round(1))
    torn = path.read_bytes() + b'{"kind":"round","at'
    path.write_bytes(torn)
    with Journal(path) as journal:
        assert journal.dropped == len(b'{"kind":"round","at')
    assert list(read_lines(path, RoundLine)) == [a_round(1)]
    assert path.read_bytes() == torn


def test_a_last_line_that_a_power_cut_left_without_its_middle_is_dropped(path: Path) -> None:
    first, kept, hole = write(path, a_round(1), a_call("x" * 100))
    path.write_bytes(first + kept + hole[:60] + bytes(len(hole) - 61) + b"\n")
    with Journal(path, writable=True) as journal:
        assert journal.dropped == len(hole)
    assert after_the_first(path) == [a_round(1)]


@pytest.mark.parametrize(
    "damage",
    [b"{}", b"\0\0\0\0", b'{"kind":"call"', b"", b"\xff\xfe", b"[" * 100_000],
    ids=["no kind", "zeros", "torn", "empty", "no text", "deep"],
)
def test_damage_in_the_middle_is_an_error_that_names_the_line(damage: bytes, path: Path) -> None:
    lines = write(path, a_round(1), a_call(), a_round(2))
    for number in (2, 3):
        damaged = b"".join([*lines[: number - 1], damage + b"\n", *lines[number:]])
        path.write_bytes(damaged)
        for writable in (False, True):
            with pytest.raises(JournalError, match=f"Line {number} of .* is damaged"):
                Journal(path, writable=writable)
        assert path.read_bytes() == damaged


def test_two_journals_that_were_put_together_are_not_taken_for_one(path: Path) -> None:
    lines = write(path, a_round(1), a_call(), a_round(2))
    for together in (b"".join(lines * 2), lines[0] * 2 + b"".join(lines[1:])):
        path.write_bytes(together)
        for read in (lambda: Journal(path), lambda: list(read_lines(path, RoundLine))):
            with pytest.raises(JournalError, match=r"Line [25] of .* begins another journal"):
                read()


def test_damage_inside_a_call_is_found_although_calls_are_read_late(path: Path) -> None:
    first, call, last = write(path, a_call("a reply"), a_round(1))
    for damage in (b'a "eply', b"a \\eply", b"a \xffeply"):
        path.write_bytes(first + call.replace(b"a reply", damage) + last)
        with pytest.raises(JournalError, match="Line 2 of"):
            Journal(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(any_line, min_size=2, max_size=5),
    at=st.integers(0, 10_000),
    size=st.integers(1, 40),
    data=st.data(),
)
def test_bytes_lost_anywhere_are_told_or_were_of_the_last_line(
    lines: list[AnyLine], at: int, size: int, data: st.DataObject, path: Path
) -> None:
    whole = write(path, *lines)
    broken = data.draw(st.integers(1, len(whole) - 2), "line")
    line = whole[broken]
    start = at % (len(line) - 1)
    hole = line[:start] + bytes(min(size, len(line) - 1 - start)) + line[start + size :]
    path.write_bytes(b"".join([*whole[:broken], hole.rstrip(b"\n") + b"\n", *whole[broken + 1 :]]))
    with pytest.raises(JournalError, match=f"Line {broken + 1} of"):
        Journal(path)


def test_a_last_line_of_a_kind_we_do_not_know_is_an_error_and_is_not_cut_off(path: Path) -> None:
    write(path, a_round(1))
    foreign = path.read_bytes() + b'{"kind":"applause","at":"2026-01-01T00:00:00Z"}\n'
    path.write_bytes(foreign)
    with pytest.raises(JournalError, match="Line 3 of"):
        Journal(path, writable=True)
    assert path.read_bytes() == foreign


def test_a_newer_format_is_left_alone(path: Path) -> None:
    newer = b'{"kind":"journal","at":"2030-01-01T00:00:00Z","version":4,"run":"r"}\n{"kind":"applause"}\n'
    path.write_bytes(newer)
    with pytest.raises(JournalError, match=r"newer spotui \(format 4\)") as caught:
        Journal(path, writable=True)
    assert caught.value.hint == "Update spotui to open it."
    with pytest.raises(JournalError, match="newer"):
        list(read_lines(path, RoundLine))
    assert path.read_bytes() == newer


@pytest.mark.parametrize(
    "text",
    [b"hello\nworld\n", b"[]\n{}\n", b"\n\n", b"\x89PNG\r\n\x1a\n\0\n"],
    ids=["words", "other JSON", "empty lines", "picture"],
)
def test_a_file_that_is_no_journal_is_an_error(text: bytes, path: Path) -> None:
    path.write_bytes(text)
    with pytest.raises(JournalError, match="Line 1 of"):
        Journal(path, writable=True)
    assert path.read_bytes() == text


def test_a_journal_without_its_first_line_is_an_error(path: Path) -> None:
    _, *rest = write(path, a_round(1), a_round(2))
    path.write_bytes(b"".join(rest))
    with pytest.raises(JournalError, match="does not begin"):
        Journal(path)


def test_only_the_kinds_asked_for_are_read(path: Path) -> None:
    stop = StopLine(at=AT, reason="finished")
    write(path, a_call(), a_round(1), a_call(), stop, a_round(2))
    assert list(read_lines(path, RoundLine)) == [a_round(1), a_round(2)]
    assert list(read_lines(path, StopLine, RoundLine)) == [a_round(1), stop, a_round(2)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(any_line, max_size=6))
def test_reading_by_kind_finds_what_reading_everything_finds(lines: list[AnyLine], path: Path) -> None:
    write(path, *lines)
    for kind in (RoundLine, EditLine, StopLine):
        assert list(read_lines(path, kind)) == [line for line in lines if isinstance(line, kind)]


def test_a_damaged_line_of_a_kind_asked_for_is_named(path: Path) -> None:
    first, one, two = write(path, a_round(1), a_round(2))
    path.write_bytes(first + one.replace(b'"outcome":"win"', b'"outcome":"won"') + two)
    with pytest.raises(JournalError, match="Line 2 of"):
        list(read_lines(path, RoundLine))


def test_a_missing_journal_has_no_lines(path: Path) -> None:
    assert list(read_lines(path, RoundLine)) == []


def test_a_folder_has_no_lines_to_read(path: Path) -> None:
    path.mkdir()
    with pytest.raises(JournalError, match="Is a directory"):
        list(read_lines(path, RoundLine))


def test_a_field_that_a_later_version_adds_is_passed_over(path: Path) -> None:
    first, one = write(path, a_round(1))
    more = msgspec.json.encode({**msgspec.json.decode(one), "mood": "calm"}) + b"\n"
    path.write_bytes(first + more)
    assert after_the_first(path) == [a_round(1)]
