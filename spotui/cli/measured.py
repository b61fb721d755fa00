"""A finished measurement of `score`: its gates, annotations, JUnit XML and exit code."""

import argparse
from typing import TYPE_CHECKING, NamedTuple

from spotui.cli import exit_codes
from spotui.cli.annotations import annotation, line_of
from spotui.domain.figures import points
from spotui.lang import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spotui.domain.statistics import Comparison
    from spotui.engine.task import RowOutcome, RowSet, Scored
    from spotui.runs.gates import GateResult
    from spotui.runs.prepare import Prepared


class Measured(NamedTuple):
    """What was measured.

    Attributes:
        prompts: By name: the one to compare with first, if there is one.
        scores: One a prompt.
        outcomes: What became of each row, one list a prompt.
        rows: The rows.
        calls: Calls that were bought for it.
    """

    prompts: dict[str, str]
    scores: "list[Scored]"
    outcomes: "list[list[RowOutcome]]"
    rows: "RowSet"
    calls: int

    @property
    def compared(self) -> "Comparison | None":
        """The last prompt against the first, or None where there is one alone."""
        from spotui.domain.statistics import compare

        return compare(self.scores[0].marks, self.scores[1].marks) if len(self.scores) == 2 else None


def gates_of(parsed: argparse.Namespace, measured: Measured, least: float | None) -> "list[GateResult]":
    """What was asked for; nothing where a prompt has no score."""
    from spotui.runs.gates import not_below, not_worse

    if not all(one.score.rows for one in measured.scores):
        return []
    names, found = list(measured.prompts), []
    if least is not None:
        found.append(not_below(names[-1], measured.scores[-1].score, least))
    if parsed.fail_if_worse_than:
        is_same = len(set(measured.prompts.values())) == 1
        found.append(not_worse(names[-1], names[0], None if is_same else measured.compared))
    return found


def annotations_of(
    parsed: argparse.Namespace, prepared: "Prepared", measured: Measured, gates: "list[GateResult]"
) -> "Iterator[str]":
    """What GitHub shows beside the prompt of the template."""
    line = line_of(prepared.text, "prompt")
    lines = [
        score_line(name, scored, parsed.split)
        for name, scored in zip(measured.prompts, measured.scores, strict=True)
    ]
    if code_of(measured) != exit_codes.OK:
        yield annotation("error", _("No score"), "\n".join(lines), prepared.path, line)
    elif not gates:
        yield annotation("notice", _("Score"), "\n".join(lines), prepared.path, line)
    for one in gates:
        title = _("Passed: {gate}", gate=one.name) if one.passed else _("Failed: {gate}", gate=one.name)
        yield annotation("notice" if one.passed else "error", title, one.text, prepared.path, line)


def junit_of(
    parsed: argparse.Namespace, prepared: "Prepared", measured: Measured, gates: "list[GateResult]"
) -> bytes:
    """The file for a CI, with every row."""
    from spotui.cli.junit import RowCase, junit

    rows = []
    for outcomes in zip(*measured.outcomes, strict=True):
        row = measured.rows.row(outcomes[0].position)
        parts = [row.asked]
        for name, one in zip(measured.prompts, outcomes, strict=True):
            parts.append(f"{name}: {mark_text(one.mark).strip()}\n{one.answer}")
        last = outcomes[-1]
        error = (last.note or _("The row has no mark.")) if last.mark is None else ""
        rows.append(RowCase(row.where, "\n\n".join(parts), error))
    lines = [
        score_line(name, scored, parsed.split)
        for name, scored in zip(measured.prompts, measured.scores, strict=True)
    ]
    return junit(f"{prepared.path.stem}.{parsed.split}", "\n".join(lines), gates, rows)


def code_of(measured: Measured) -> int:
    """The exit code without gates; a prompt without a single mark has no score, and that is a failure."""
    return exit_codes.UNMARKED if unmarked(measured) else exit_codes.OK


def unmarked(measured: Measured) -> list[str]:
    """The prompts that no row could be marked with."""
    scored = zip(measured.prompts, measured.scores, strict=True)
    return [name for name, one in scored if not one.score.rows]


def score_line(name: str, scored: "Scored", split: str) -> str:
    """A prompt's score on a line."""
    score = scored.score
    if not score.rows:
        return ngettext(
            "{name}: no score; the one {split} row errored",
            "{name}: no score; all {n:,} {split} rows errored",
            score.left_out,
            name=name,
            split=split,
        )
    found = ngettext(
        "{name}: {score} ({low} to {high}) on {n:,} {split} row",
        "{name}: {score} ({low} to {high}) on {n:,} {split} rows",
        score.rows,
        name=name,
        score=points(score.mean),
        low=points(score.interval.low),
        high=points(score.interval.high),
        split=split,
    )
    if not score.left_out:
        return found
    return _("{found}, {left_out:,} errored", found=found, left_out=score.left_out)


def mark_text(mark: float | None) -> str:
    """A mark in five cells."""
    return "  –  " if mark is None else f"{points(mark):>5}"
