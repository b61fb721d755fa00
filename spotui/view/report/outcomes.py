"""The part of a report about rows: won and lost against the seed, with the answers of both."""

from collections.abc import Iterator, Sequence
from typing import Final

from spotui.domain.figures import points
from spotui.domain.records import CallKey, CheckLine, FinalTestLine, RoundLine
from spotui.domain.rows import Row
from spotui.domain.text import short
from spotui.lang import N_, _
from spotui.view.report.document import Paragraph, Part, Section, Table, Tone
from spotui.workspace.history import History
from spotui.workspace.journal_reader import read_replies
from spotui.workspace.projects import Project
from spotui.workspace.rows_file import read_rows_file

_SHOWN: Final = 12
"""Rows won, and rows lost, that are shown with their answers; every row is in the journal."""

_LONGEST: Final = 600
"""Characters of a question or answer that are shown."""

_VOTED: Final = {"win": N_("won"), "loss": N_("lost"), "tie": N_("tie"), "void": N_("not counted")}


def won_and_lost(project: Project, history: History, seed: RoundLine, line: RoundLine) -> Iterator[Part]:
    """Rows that the prompt won and lost against the seed: those of the test, else of the final check.

    Without either, its answers, where the rounds have asked for some.

    Args:
        project: The project.
        history: What it holds.
        seed: The seed's round.
        line: The prompt's round.

    Raises:
        SpotuiError: The project is damaged.
    """
    if history.test is not None and history.test.best == line.round:
        yield from _tested_rows(project, history.test, seed, line)
    elif history.check is not None and history.check.rows and history.check.best == line.round:
        yield from _checked_rows(history.check, seed, line)
    elif seed.round != line.round and line.marks and len(line.marks) == len(seed.marks):
        data = read_rows_file(project.rows)
        title = _("Rows won and lost against the seed, on the rows that it was chosen by")
        eval_rows = data.eval if data is not None else ()
        yield from _compared(project, title, eval_rows, seed, line, (seed.marks, line.marks), "score_eval")
    elif line.answers and line.score is None:
        yield Section(_("Answers"))
        rows = [[_cut(one.question), _cut(one.answer or one.error)] for one in line.answers]
        yield Table((_("Question"), _("Answer with this prompt")), rows)


def _tested_rows(project: Project, test: FinalTestLine, seed: RoundLine, line: RoundLine) -> Iterator[Part]:
    data = read_rows_file(project.rows)
    title = _("Test rows won and lost against the seed")
    rows = data.test if data is not None else ()
    marks = (test.seed_marks, test.best_marks)
    yield from _compared(project, title, rows, seed, line, marks, "score_test")


def _compared(
    project: Project,
    title: str,
    rows: Sequence[Row],
    seed: RoundLine,
    line: RoundLine,
    marks: tuple[Sequence[float | None], Sequence[float | None]],
    purpose: str,
) -> Iterator[Part]:
    pairs = [
        (position, old, new)
        for position, (old, new) in enumerate(zip(*marks, strict=False))
        if old is not None and new is not None
    ]
    won = [one for one in pairs if one[2] > one[1]]
    lost = [one for one in pairs if one[2] < one[1]]
    yield Section(title)
    yield Paragraph(
        _(
            "{won:,} won, {lost:,} lost, {same:,} alike, {left_out:,} without a mark.",
            won=len(won),
            lost=len(lost),
            same=len(pairs) - len(won) - len(lost),
            left_out=len(marks[0]) - len(pairs),
        )
    )
    shown = [*won[:_SHOWN], *lost[:_SHOWN]]
    keys = [CallKey(each.round, purpose, position) for position, _old, _new in shown for each in (seed, line)]
    replies = read_replies(project.journal, keys) if keys else {}
    cells: list[list[str]] = []
    for position, old, new in shown:
        row = rows[position] if position < len(rows) else None
        word = _("won") if new > old else _("lost")
        answers = [replies.get(CallKey(each.round, purpose, position), "") for each in (seed, line)]
        cells.append(
            [
                _("{number}, {word}", number=position + 1, word=word),
                f"{points(old)} → {points(new)}",
                _cut(row.asked.strip()) if row is not None else "",
                _cut(" | ".join(row.references)) if row is not None else "",
                *(_cut(one.strip()) for one in answers),
            ]
        )
    if cells:
        head = (
            _("Row"),
            _("Marks"),
            _("Question"),
            _("Expected"),
            _("Answer with the seed"),
            _("Answer with this prompt"),
        )
        tones: list[Tone] = ["win" if new > old else "loss" for _position, old, new in shown]
        yield Table(head, cells, tones=tones)
    if len(shown) < len(won) + len(lost):
        yield Paragraph(_("Shown are the first {most} of each; the journal has all of them.", most=_SHOWN))


def _checked_rows(check: CheckLine, seed: RoundLine, line: RoundLine) -> Iterator[Part]:
    yield Section(_("Questions won and lost against the seed"))
    yield Paragraph(check.headline)
    answers = [{one.question: one.answer or one.error for one in each.answers} for each in (seed, line)]
    tones: list[Tone] = []
    rows: list[list[str]] = []
    for one in check.rows:
        tones.append("win" if one.choice == "win" else "loss" if one.choice == "loss" else "")
        reasons = (short(vote.reason, 200) for vote in one.votes if vote.reason)
        texts = [_cut(each.get(one.question, "")) for each in answers]
        rows.append([_cut(one.question), _(_VOTED[one.choice]), *texts, "\n".join(reasons)])
    head = (
        _("Question"),
        _("Result"),
        _("Answer with the seed"),
        _("Answer with this prompt"),
        _("The judge's reasons"),
    )
    yield Table(head, rows, tones=tones)
    if any(one.held_out for one in check.rows):
        yield Paragraph(_("Answers to held-out questions are in the journal alone."))


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return _("{text}… ({length:,} characters)", text=text[:_LONGEST], length=len(text))
