"""Projects of methods that score prompts, made without a run: always the same ones."""

from collections.abc import Sequence

import msgspec

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.event_lines import encode_event
from spotui.domain.events import (
    BlockItem,
    BlockShown,
    CandidateProposed,
    CandidateScored,
    Event,
    NoteWritten,
    PastPrompt,
    PastShown,
)
from spotui.domain.messages import Message
from spotui.domain.records import CallKey, CallLine, FinalTestLine, Line, RoundLine, SessionLine, StopLine
from spotui.domain.rows import Row
from spotui.domain.statistics import score
from spotui.domain.verdicts import Outcome
from spotui.templates.data.load import Dataset
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace
from spotui.workspace.race_file import Compared, RaceFolder, RaceRecord, Tested
from spotui.workspace.race_rows import RaceRow, RowAnswer, write_race_rows
from tests.workspace.journal_lines import AT
from tests.workspace.snapshots import a_snapshot

ROWS = tuple(
    Row(f"What is {one} plus {other}?", (str(one + other),), file="rows.jsonl", line=number)
    for number, (one, other) in enumerate([(1, 2), (30, 4), (5, 60), (7, 8), (19, 9), (12, 12)], 1)
)
TEMPLATE = "prompt: Add the numbers.\nrequirements: The right sum.\ndata: rows.jsonl\nmetric: number\n"
SEED = "Add the numbers."
STEPS = "Add the numbers step by step, and write the sum last."
CARRY = "Add the numbers. Carry the one, and check the sum by adding backwards."
SHORT = "Add."

_SETTINGS = {"max_rounds": 3, "seed": 0, "judge": "balanced"}
_ROLE = {"model": "test-model", "temperature": None, "max_tokens": None, "timeout": 60.0}
_ROLES = {"roles": dict.fromkeys(("optimizer", "evaluator", "executor"), _ROLE)}


def gpo(workspace: Workspace, name: str = "sums") -> Project:
    """Two steps of GPO: one finds a better prompt, one does not."""
    second = [
        PastShown(at=0, round=2, current=1, edit_budget=47),
        _proposed(2, 0, STEPS, "Ask for steps.", "The seed asks for no steps, so sums are guessed.", 9),
        _proposed(2, 1, SHORT, "Shorter.", "Fewer words leave less to misread.", 2),
        _scored(2, 0, STEPS, [1, 1, 0, 1, 1, None], 9, asked=2, first=0),
        _scored(2, 1, SHORT, [1, 0, 0, 0, 0, 0], 2, asked=2, first=6),
    ]
    third = [
        PastShown(at=0, round=3, current=2, past=(PastPrompt(1, SEED, 0.5, 0.42),), edit_budget=10),
        _proposed(3, 0, CARRY, "Ask to carry.", "Most failures forget to carry the one.", 10),
        _scored(3, 0, CARRY, [1, 0, 1, 1, 0, 1], 10, asked=3, first=0),
    ]
    return _project(
        workspace,
        name,
        "gpo",
        [
            *_asked(1, 0, [3, 34, 64, 15, 27, 23]),
            _round(1, "seed", SEED, [_scored(1, 0, SEED, [1, 1, 0, 1, 0, 0], None, asked=1, first=0)]),
            *_asked(2, 0, [3, 34, 64, 15, 28, 0]),
            *_asked(2, 6, [3, 33, 64, 16, 27, 23]),
            _round(2, "win", STEPS, second, budget=47),
            *_asked(3, 0, [3, 33, 65, 15, 27, 24]),
            _round(3, "loss", CARRY, third, budget=10),
            FinalTestLine(at=AT, best=2, seed_marks=(1, 0, 0, 1), best_marks=(1, 1, 1, 1)),
        ],
    )


def gradsum(workspace: Workspace, name: str = "beams") -> Project:
    """A round of GRAD-SUM, whose candidates are scored on some rows before the best is on all."""
    second = [
        NoteWritten(at=0, round=2, what="gradient", text="Say that ones are carried.", index=1, prompt=SEED),
        NoteWritten(at=0, round=2, what="gradient", text="Ask for the sum alone.", index=4, prompt=SEED),
        NoteWritten(at=0, round=2, what="summary", text="Carry ones, and write the sum alone.", prompt=SEED),
        _proposed(2, 0, CARRY, "Ask to carry.", "The summary says so.", 10),
        _proposed(2, 1, STEPS, "Ask for steps.", "Steps show the carrying.", 9),
        _scored(2, 0, SEED, [0, 1, 0], None, asked=1, first=0, positions=(2, 3, 5)),
        _scored(2, 1, CARRY, [1, 1, 1], 10, asked=2, first=0, positions=(2, 3, 5)),
        _scored(2, 2, STEPS, [0, 1, 1], 9, asked=2, first=6, positions=(2, 3, 5)),
        BlockShown(
            at=0,
            round=2,
            name="beam",
            title="prompts for the next round",
            items=(BlockItem(CARRY, 1.0, 0.44, 1.0, 3), BlockItem(STEPS, 0.667, 0.21, 0.94, 3)),
        ),
        _scored(2, 0, CARRY, [1, 0, 1, 1, 1, 1], 10, asked=2, first=0),
    ]
    return _project(
        workspace,
        name,
        "gradsum",
        [
            *_asked(1, 0, [3, 34, 64, 15, 27, 23]),
            _round(1, "seed", SEED, [_scored(1, 0, SEED, [1, 1, 0, 1, 0, 0], None, asked=1, first=0)]),
            *_asked(2, 0, [3, 33, 65, 15, 28, 24]),
            *_asked(2, 6, [0, 0, 64, 15, 0, 24]),
            _round(2, "win", CARRY, second),
        ],
    )


def race(workspace: Workspace) -> RaceFolder:
    """A race of both that has ended, with what the test says."""
    gpo(workspace, "sums-race/gpo")
    gradsum(workspace, "sums-race/gradsum")
    folder = RaceFolder(workspace, "sums-race")
    folder.write(
        RaceRecord(
            template="sums.yaml",
            methods=("gpo", "gradsum", "spo"),
            words=("race", "sums.yaml"),
            rows=4,
            tested=(
                _tested("gpo", 0.9, (0.72, 0.97), 0.4, (0.2, 0.56), improved=True),
                _tested("gradsum", 0.75, (0.55, 0.88), 0.25, (-0.03, 0.5), improved=True),
                _tested("spo", 0.5, (0.31, 0.69), 0.0, (0.0, 0.0), improved=False),
            ),
            compared=(
                Compared("gpo", "gradsum", 0.15, (-0.05, 0.34), 5, 2, settled=False),
                Compared("gpo", "spo", 0.4, (0.2, 0.56), 9, 1, settled=True),
                Compared("gradsum", "spo", 0.25, (-0.03, 0.5), 6, 1, settled=False),
            ),
        )
    )
    marks: dict[str, tuple[int | None, ...]] = {
        "seed": (1, 0, 0, 1),
        "gpo": (1, 1, 1, 1),
        "gradsum": (1, 1, 0, None),
        "spo": (1, 0, 0, 1),
    }
    write_race_rows(
        folder,
        tuple(
            RaceRow(
                row.asked,
                tuple(row.references),
                {name: _row_answer(own[number], row.references[0]) for name, own in marks.items()},
            )
            for number, row in enumerate(ROWS[:4])
        ),
    )
    return folder


def _row_answer(mark: int | None, right: str) -> RowAnswer:
    if mark is None:
        return RowAnswer(None, note="timed out")
    return RowAnswer(mark, f"Step by step, the sum is {right}." if mark else "It is 7, I think.")


def _tested(
    method: str,
    score: float,
    interval: tuple[float, float],
    gain: float,
    gain_interval: tuple[float, float],
    *,
    improved: bool,
) -> Tested:
    return Tested(
        method=method,
        improved=improved,
        score=score,
        interval=interval,
        gain=gain,
        gain_interval=gain_interval,
        calls=240,
        tokens=48_200,
        cost_usd=0.0375,
        unpriced=0,
        seconds=75.0,
        rounds=3,
    )


def _project(workspace: Workspace, name: str, method: str, lines: Sequence[Line]) -> Project:
    snapshot = msgspec.structs.replace(
        a_snapshot(TEMPLATE, {**_SETTINGS, **_ROLES}), method=method, questions=(), held_out=()
    )
    session = SessionLine(at=AT, pid=1, host="h", spotui="0")
    stop = StopLine(at=AT, reason="finished", cause="All rounds are done.", best=2, seconds=12.0)
    rows = Dataset(train=ROWS, eval=ROWS, test=ROWS[:4])
    return create_project(workspace, name, snapshot, lines=[session, *lines, stop], rows=rows)


def _round(
    number: int, outcome: Outcome, prompt: str, told: Sequence[Event], *, budget: int | None = None
) -> RoundLine:
    kept = [one for one in told if isinstance(one, CandidateScored) and one.prompt == prompt][-1]
    own = next((one for one in told if isinstance(one, CandidateProposed) and one.prompt == prompt), None)
    return RoundLine(
        at=AT,
        round=number,
        outcome=outcome,
        prompt=prompt,
        parent=max(0, number - 1),
        modification=own.modification if own else "",
        reasoning=own.reasoning if own else "",
        seconds=4.0,
        calls=14,
        prompt_tokens=1200,
        completion_tokens=300,
        cost_usd=0.0125,
        score=kept.score,
        score_interval=(kept.low, kept.high),
        marks=kept.marks,
        edit_budget=budget,
        told=tuple(msgspec.Raw(encode_event(one).rstrip()) for one in told),
    )


def _proposed(
    number: int, index: int, prompt: str, modification: str, reasoning: str, words: int
) -> CandidateProposed:
    return CandidateProposed(
        at=0,
        round=number,
        parent=number - 1,
        prompt=prompt,
        modification=modification,
        reasoning=reasoning,
        index=index,
        words_changed=words,
    )


def _scored(
    number: int,
    index: int,
    prompt: str,
    marks: Sequence[float | None],
    words: int | None,
    *,
    asked: int,
    first: int,
    positions: tuple[int, ...] = (),
) -> CandidateScored:
    found = score(marks, seed=0)
    return CandidateScored(
        at=0,
        round=number,
        index=index,
        prompt=prompt,
        split="eval",
        score=found.mean,
        low=found.interval.low,
        high=found.interval.high,
        rows=found.rows,
        left_out=found.left_out,
        marks=tuple(marks),
        words_changed=words,
        asked=asked,
        first=first,
        positions=positions,
    )


def _asked(number: int, first: int, sums: Sequence[int]) -> list[CallLine]:
    """The calls of one prompt; 0 is a row that was not asked."""
    request = msgspec.Raw(msgspec.json.encode(Request(model="m", messages=(Message("user", "?"),))))
    return [
        CallLine(
            at=AT,
            key=CallKey(number, "score_eval", first + position),
            digest=f"{number}/{first + position}",
            request=request,
            reply=msgspec.Raw(
                msgspec.json.encode(
                    Reply(text=f"The sum is {total}.", finish_reason="stop", usage=Usage(9, 5), seconds=0.5)
                )
            ),
        )
        for position, total in enumerate(sums)
        if total
    ]
