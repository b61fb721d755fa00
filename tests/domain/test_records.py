"""The format of the journal on disk: a journal of this version opens for as long as the version lives."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from spotui.domain.records import (
    AnswerRecord,
    AnyLine,
    BatchedCall,
    BatchLine,
    CallKey,
    CallLine,
    CheckedRow,
    CheckLine,
    DroppedLine,
    EditLine,
    FinalTestLine,
    HeldOutLine,
    HintLine,
    JournalLine,
    LimitsLine,
    MarkLine,
    OverrideLine,
    RoundLine,
    SentLine,
    SessionLine,
    StopLine,
    VoteLine,
    VoteRecord,
    now,
)
from spotui.workspace.journal import Journal

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
WRITTEN = rb"""
{"kind":"journal","version":1,"run":"r","at":"2026-03-04T05:06:07Z"}
{"kind":"session","pid":7,"host":"h","spotui":"0.1","at":"2026-03-04T05:06:07Z"}
{"kind":"sent","key":{"round":1,"purpose":"execute","index":0,"attempt":1,"turn":0,"candidate":0},"model":"m","prompt_tokens":5,"completion_tokens":512,"cost_usd":0.5,"worked":1.5,"at":"2026-03-04T05:06:07Z"}
{"kind":"call","key":{"round":1,"purpose":"execute","index":0,"attempt":1,"turn":0,"candidate":0},"digest":"d","request":{"model":"m","messages":[]},"reply":{"text":"t","finish_reason":"stop","usage":{"prompt_tokens":1,"completion_tokens":2},"seconds":0.5},"at":"2026-03-04T05:06:07Z"}
{"kind":"batch","token":"t","state":"intended","model":"m","calls":[[{"round":1,"purpose":"execute","index":0,"attempt":1,"turn":0,"candidate":0},"d"]],"at":"2026-03-04T05:06:07Z"}
{"kind":"mark","of":"o","metric":"m","mark":0.5,"at":"2026-03-04T05:06:07Z"}
{"kind":"dropped","key":{"round":2,"purpose":"vote","index":3,"attempt":2,"turn":0,"candidate":0},"model":"m","why":"decided","prompt_tokens":5,"completion_tokens":6,"cost_usd":0.5,"at":"2026-03-04T05:06:07Z"}
{"kind":"round","round":2,"outcome":"win","prompt":"p","parent":1,"answers":[{"question":"q","answer":"a"}],"votes":[{"choice":"win","order":"AB"}],"tokens":3,"seconds":1.5,"at":"2026-03-04T05:06:07Z"}
{"kind":"vote","round":2,"choice":"tie","at":"2026-03-04T05:06:07Z"}
{"kind":"edit","round":3,"prompt":"p","at":"2026-03-04T05:06:07Z"}
{"kind":"override","round":2,"outcome":"loss","before_round":4,"at":"2026-03-04T05:06:07Z"}
{"kind":"hint","text":"Be brief.","before_round":4,"at":"2026-03-04T05:06:07Z"}
{"kind":"limits","changes":{"usd":1.5,"calls":null,"rounds":4},"at":"2026-03-04T05:06:07Z"}
{"kind":"held_out","best":2,"outcome":"win","questions":4,"at":"2026-03-04T05:06:07Z"}
{"kind":"final_test","best":2,"seed_marks":[0.0,null],"best_marks":[1.0,0.5],"at":"2026-03-04T05:06:07Z"}
{"kind":"check","best":2,"outcome":"win","headline":"Better.","rows":[{"question":"q","choice":"win"}],"at":"2026-03-04T05:06:07Z"}
{"kind":"stop","reason":"finished","best":2,"at":"2026-03-04T05:06:07Z"}
""".lstrip()
LINES: list[AnyLine] = [
    JournalLine(at=AT, version=1, run="r"),
    SessionLine(at=AT, pid=7, host="h", spotui="0.1"),
    SentLine(
        at=AT,
        key=CallKey(1, "execute"),
        model="m",
        prompt_tokens=5,
        completion_tokens=512,
        cost_usd=0.5,
        worked=1.5,
    ),
    CallLine(
        at=AT,
        key=CallKey(1, "execute"),
        digest="d",
        request=msgspec.Raw(b'{"model":"m","messages":[]}'),
        reply=msgspec.Raw(
            b'{"text":"t","finish_reason":"stop","usage":{"prompt_tokens":1,"completion_tokens":2},"seconds":0.5}'
        ),
    ),
    BatchLine(
        at=AT, token="t", state="intended", model="m", calls=(BatchedCall(CallKey(1, "execute"), "d"),)
    ),
    MarkLine(at=AT, of="o", metric="m", mark=0.5),
    DroppedLine(
        at=AT,
        key=CallKey(2, "vote", 3, 2),
        model="m",
        why="decided",
        prompt_tokens=5,
        completion_tokens=6,
        cost_usd=0.5,
    ),
    RoundLine(
        at=AT,
        round=2,
        outcome="win",
        prompt="p",
        parent=1,
        answers=(AnswerRecord("q", "a"),),
        votes=(VoteRecord("win", "AB"),),
        tokens=3,
        seconds=1.5,
    ),
    VoteLine(at=AT, round=2, choice="tie"),
    EditLine(at=AT, round=3, prompt="p"),
    OverrideLine(at=AT, round=2, outcome="loss", before_round=4),
    HintLine(at=AT, text="Be brief.", before_round=4),
    LimitsLine(at=AT, changes={"usd": 1.5, "calls": None, "rounds": 4}),
    HeldOutLine(at=AT, best=2, outcome="win", questions=4),
    FinalTestLine(at=AT, best=2, seed_marks=(0.0, None), best_marks=(1.0, 0.5)),
    CheckLine(at=AT, best=2, outcome="win", headline="Better.", rows=(CheckedRow("q", "win"),)),
    StopLine(at=AT, reason="finished", best=2),
]


def test_a_journal_of_this_version_opens(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(WRITTEN)
    with Journal(path) as journal:
        assert list(journal.lines()) == LINES


def test_what_is_written_today_is_that_version() -> None:
    encoder = msgspec.json.Encoder()
    assert b"".join(encoder.encode(line) + b"\n" for line in LINES) == WRITTEN


@pytest.mark.parametrize("line", LINES, ids=lambda line: str(line.__struct_config__.tag))
def test_every_line_begins_with_its_kind_and_goes_on(line: AnyLine) -> None:
    # Readers pick lines by how they begin; see `read_lines`.
    head = f'{{"kind":"{line.__struct_config__.tag}","'.encode()
    assert msgspec.json.encode(line).startswith(head)


def test_the_kinds_above_are_all_there_are() -> None:
    assert {type(line) for line in LINES} == set(AnyLine.__args__)


def test_the_present_moment_knows_its_offset() -> None:
    before = datetime.now(UTC)
    moment = now()
    assert moment.tzinfo is not None
    assert before <= moment <= datetime.now(UTC)
