"""SPO's files: byte for byte what its reference writes, and a damaged one is never overwritten."""

import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.records import AnswerRecord, RoundLine
from spotui.workspace.spo_files import (
    ResultsError,
    SpoRound,
    encode_answers,
    encode_prompt,
    encode_results,
    project_rounds,
    read_rounds,
    set_aside_if_damaged,
    write_rounds,
)
from tests.workspace.full_disk import no_file_beyond
from tests.workspace.journal_lines import a_round

LOCAL = timezone(timedelta(hours=5, minutes=30))
SEED = RoundLine(
    at=datetime(2026, 3, 4, 5, 6, 7, 0, LOCAL),
    round=1,
    outcome="seed",
    prompt='Tell "me".\n',
    answers=(AnswerRecord("Why?", "猫\tyes"), AnswerRecord("", "🐈")),
    tokens=42,
)
LOSER = RoundLine(
    at=datetime(2026, 3, 4, 5, 6, 8, 9, LOCAL),
    round=2,
    outcome="loss",
    prompt="Other.",
    answers=(AnswerRecord("Why?", "no"),),
    tokens=3,
)
RESULTS = r"""[
    {
        "round": 1,
        "answers": [
            {
                "question": "Why?",
                "answer": "\u732b\tyes"
            },
            {
                "question": "",
                "answer": "\ud83d\udc08"
            }
        ],
        "prompt": "Tell \"me\".\n",
        "succeed": true,
        "tokens": 42,
        "time": "2026-03-04 05:06:07.000000"
    },
    {
        "round": 2,
        "answers": [
            {
                "question": "Why?",
                "answer": "no"
            }
        ],
        "prompt": "Other.",
        "succeed": false,
        "tokens": 3,
        "time": "2026-03-04 05:06:08.000009"
    }
]"""


def test_every_file_is_byte_for_byte_what_the_reference_writes(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts"
    write_rounds(prompts, project_rounds([SEED, LOSER]))
    assert {
        path.relative_to(prompts).as_posix(): path.read_bytes()
        for path in prompts.rglob("*")
        if path.is_file()
    } == {
        "results.json": RESULTS.encode(),
        "round_1/prompt.txt": b'Tell "me".\n',
        "round_1/answers.txt": ("Question:\nWhy?\nAnswer:\n猫\tyes\n\nQuestion:\n\nAnswer:\n🐈\n\n".encode()),
        "round_2/prompt.txt": b"Other.",
        "round_2/answers.txt": b"Question:\nWhy?\nAnswer:\nno\n\n",
    }


@pytest.mark.parametrize(
    ("outcome", "succeed"),
    [("seed", True), ("win", True), ("loss", False), ("tie", False), ("undecided", False), ("void", False)],
)
def test_only_the_seed_and_winners_succeed(outcome: str, succeed: bool) -> None:
    (one,) = project_rounds([a_round(3, outcome)])  # type: ignore[arg-type]
    assert one.succeed is succeed


def test_a_round_without_answers_is_left_out() -> None:
    rounds = project_rounds([a_round(1, "seed"), a_round(2, "void", "", answers=()), a_round(3)])
    assert [one.round for one in rounds] == [1, 3]


texts = st.text(max_size=30)
spo_rounds = st.lists(
    st.builds(
        SpoRound,
        round=st.integers(1, 1000),
        answers=st.lists(st.builds(AnswerRecord, texts, texts), max_size=3).map(tuple),
        prompt=texts,
        succeed=st.booleans(),
        tokens=st.integers(0, 10**9),
        time=texts,
    ),
    max_size=5,
)


@given(rounds=spo_rounds)
def test_results_are_what_json_writes_of_the_same_objects_and_come_back(
    rounds: list[SpoRound], tmp_path_factory: pytest.TempPathFactory
) -> None:
    objects = [
        {
            "round": one.round,
            "answers": [{"question": a.question, "answer": a.answer} for a in one.answers],
            "prompt": one.prompt,
            "succeed": one.succeed,
            "tokens": one.tokens,
            "time": one.time,
        }
        for one in rounds
    ]
    data = encode_results(rounds)
    assert data == json.dumps(objects, default=str, indent=4).encode("ascii")
    prompts = tmp_path_factory.getbasetemp() / "results"
    prompts.mkdir(exist_ok=True)
    (prompts / "results.json").write_bytes(data)
    assert read_rounds(prompts) == rounds


@given(text=st.text(st.characters(exclude_categories=[])))
def test_text_files_hold_the_text_and_line_breaks_stay(text: str) -> None:
    data = encode_prompt(text)
    assert encode_answers([AnswerRecord("", text)]) == b"Question:\n\nAnswer:\n" + data + b"\n\n"
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert data == text.encode()


def test_what_is_up_to_date_is_not_written_again(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts"
    write_rounds(prompts, project_rounds([SEED]))
    before = {path: path.stat().st_ino for path in prompts.rglob("*") if path.is_file()}
    write_rounds(prompts, project_rounds([SEED, LOSER]))
    changed = [path.name for path, inode in before.items() if path.stat().st_ino != inode]
    assert changed == ["results.json"]


def test_a_round_that_changed_is_written_anew(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts"
    write_rounds(prompts, project_rounds([a_round(1, "seed", "Old."), LOSER]))
    write_rounds(prompts, project_rounds([a_round(1, "seed", "New.")]))
    assert (prompts / "round_1" / "prompt.txt").read_bytes() == b"New."
    assert [one.prompt for one in read_rounds(prompts)] == ["New."]


@pytest.mark.parametrize("room", [0, 20, 300])
def test_a_full_disk_leaves_results_as_they_were(room: int, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts"
    write_rounds(prompts, project_rounds([SEED]))
    before = (prompts / "results.json").read_bytes()
    with no_file_beyond(room), pytest.raises(OSError, match="too large"):
        write_rounds(prompts, project_rounds([SEED, LOSER]))
    assert (prompts / "results.json").read_bytes() == before
    assert not list(prompts.rglob("*.tmp"))
    write_rounds(prompts, project_rounds([SEED, LOSER]))
    assert (prompts / "results.json").read_bytes() == RESULTS.encode()


def test_a_project_that_was_moved_away_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_rounds(tmp_path / "moved" / "prompts", project_rounds([SEED]))
    assert list(tmp_path.iterdir()) == []


DAMAGED = {
    "torn": RESULTS.encode()[:-20],
    "empty": b"",
    "zeros": bytes(100),
    "no list": b'{"round": 1}',
    "no objects": b"[1]",
    "no prompt": b'[{"round": 1, "answers": [], "succeed": true}]',
    "round is a text": b'[{"round": "1", "answers": [], "prompt": "", "succeed": true}]',
    "no UTF-8": b'["\xff"]',
    "deep": b"[" * 100_000,
    "not a number": b'[{"round": NaN, "answers": [], "prompt": "", "succeed": true}]',
    "long number": b'[{"round": ' + b"9" * 5000 + b', "answers": [], "prompt": "", "succeed": true}]',
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_results_are_an_error_and_set_aside_but_never_overwritten(
    data: bytes, tmp_path: Path
) -> None:
    results = tmp_path / "results.json"
    results.write_bytes(data)
    with pytest.raises(ResultsError, match=r"results\.json is damaged") as caught:
        read_rounds(tmp_path)
    assert "resume" in caught.value.hint
    assert results.read_bytes() == data
    write_rounds(tmp_path, project_rounds([SEED, LOSER]))
    assert results.read_bytes() == RESULTS.encode()
    (aside,) = tmp_path.glob("results.damaged-*.json")
    assert aside.read_bytes() == data


def test_each_damaged_file_is_kept(tmp_path: Path) -> None:
    for text in ("one", "two", "three"):
        (tmp_path / "results.json").write_text(text)
        assert set_aside_if_damaged(tmp_path) is not None
    kept = sorted(tmp_path.iterdir())
    assert sorted(path.read_text() for path in kept) == ["one", "three", "two"]


def test_sound_and_missing_results_are_not_set_aside(tmp_path: Path) -> None:
    assert set_aside_if_damaged(tmp_path) is None
    assert set_aside_if_damaged(tmp_path / "none") is None
    write_rounds(tmp_path, project_rounds([SEED]))
    assert set_aside_if_damaged(tmp_path) is None
    assert len(read_rounds(tmp_path)) == 1


def test_a_folder_in_the_place_of_results_is_set_aside_whole(tmp_path: Path) -> None:
    (tmp_path / "results.json").mkdir()
    (tmp_path / "results.json" / "note").write_text("mine")
    with pytest.raises(ResultsError, match="cannot be read: Is a directory"):
        read_rounds(tmp_path)
    aside = set_aside_if_damaged(tmp_path)
    assert aside is not None
    assert (aside / "note").read_text() == "mine"
    write_rounds(tmp_path, project_rounds([SEED, LOSER]))
    assert (tmp_path / "results.json").read_bytes() == RESULTS.encode()


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "prompts").touch()
    with pytest.raises(ResultsError, match="cannot be read: Not a directory"):
        read_rounds(tmp_path / "prompts")
    with pytest.raises(ResultsError, match="cannot be read, or moved out of the way: Not a directory"):
        set_aside_if_damaged(tmp_path / "prompts")
    with pytest.raises(NotADirectoryError):
        write_rounds(tmp_path / "prompts", project_rounds([SEED]))


def test_missing_results_hold_no_round(tmp_path: Path) -> None:
    assert read_rounds(tmp_path) == []
    assert read_rounds(tmp_path / "none") == []


def test_time_is_written_as_it_was_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Lima")
    time.tzset()
    try:
        (one,) = project_rounds([SEED])
    finally:
        monkeypatch.undo()
        time.tzset()
    assert one.time == "2026-03-04 05:06:07.000000"
