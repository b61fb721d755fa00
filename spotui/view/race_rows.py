"""Two entries of a race row by row: which rows each wins, with the answers behind."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from spotui.lang import N_, _, ngettext
from spotui.view.round_prompts import Part, Passage
from spotui.workspace.race_rows import RaceRow, RowAnswer

RowVerdict = Literal["won", "lost", "same", "errored"]

VERDICTS: Final[dict[RowVerdict, str]] = {
    "won": N_("won"),
    "lost": N_("lost"),
    "same": N_("same"),
    "errored": N_("errored"),
}
"""In the order in which rows are listed."""

_NO_ANSWER: Final = RowAnswer(None)


class RowPair(NamedTuple):
    """A test row from the side of the first of two entries.

    Attributes:
        number: From 1, as in the test split.
        row: The row.
        one: What the first made of it.
        other: What the second made of it.
        verdict: Who has the higher mark; errored when either has none.
    """

    number: int
    row: RaceRow
    one: RowAnswer
    other: RowAnswer
    verdict: RowVerdict


def pair_rows(rows: Sequence[RaceRow], first: str, second: str) -> list[RowPair]:
    """Every row with the answers of two entries: those that the first won, then those that it lost.

    Args:
        rows: The test rows.
        first: A method, or `seed`.
        second: Another.
    """
    found = []
    for number, row in enumerate(rows, 1):
        mine, theirs = row.answers.get(first, _NO_ANSWER), row.answers.get(second, _NO_ANSWER)
        found.append(RowPair(number, row, mine, theirs, _verdict(mine.mark, theirs.mark)))
    order = list(VERDICTS)
    return sorted(found, key=lambda pair: (order.index(pair.verdict), pair.number))


def _verdict(mine: float | None, theirs: float | None) -> RowVerdict:
    if mine is None or theirs is None:
        return "errored"
    return "won" if mine > theirs else "lost" if mine < theirs else "same"


def tally_of(pairs: Sequence[RowPair]) -> dict[RowVerdict, int]:
    """How many rows have each verdict."""
    return {verdict: sum(pair.verdict == verdict for pair in pairs) for verdict in VERDICTS}


def in_words(pairs: Sequence[RowPair], first: str, second: str) -> str:
    """What the rows say of two entries, without saying whether that is more than chance."""
    counts = tally_of(pairs)
    said = ngettext(
        "{one} answers {n:,} row better than {other} and {lost:,} worse; {same:,} are the same.",
        "{one} answers {n:,} rows better than {other} and {lost:,} worse; {same:,} are the same.",
        counts["won"],
        one=first,
        other=second,
        lost=counts["lost"],
        same=counts["same"],
    )
    if not counts["errored"]:
        return said
    errored = ngettext("{n:,} row errored.", "{n:,} rows errored.", counts["errored"])
    return f"{said} {errored}"


def passages_of(pair: RowPair, first: str, second: str) -> list[Passage]:
    """A row in full: what was asked, what was expected, and both answers with their marks.

    Args:
        pair: The row.
        first: The name of the first entry.
        second: The name of the second.
    """
    asked = [Part("", pair.row.question.strip())]
    if pair.row.references:
        asked.append(Part(_("expected"), " | ".join(pair.row.references)))
    title = _("row {number}", number=pair.number)
    found = [Passage(title, _(VERDICTS[pair.verdict]), tuple(asked), "heading")]
    for name, answer, is_better in (
        (first, pair.one, pair.verdict == "won"),
        (second, pair.other, pair.verdict == "lost"),
    ):
        parts = [Part("", answer.answer.strip() or _("No answer."))]
        if answer.note:
            parts.append(Part(_("note"), answer.note))
        found.append(Passage(name, mark_text(answer.mark), tuple(parts), "win" if is_better else "plain"))
    return found


def mark_text(mark: float | None) -> str:
    """A mark as it is shown."""
    return _("errored") if mark is None else f"{mark:.3g}"
