"""Prune: which sentences of the best prompt can go without a loss that matters.

Every piece that can be cut safely is left out alone first, raced: hopeless cuts are dropped early. What may
go is then left out together, greedily: half of it where all of it is too much, and so on. The result is
compared with the full prompt on rows or questions that this search has not seen, and the interval decides
what may be said of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.events import Event
from spotui.domain.prompt_pieces import Pieces, merged, pieces_of, texts
from spotui.domain.records import AnyLine, CallKey, CallLine, Line, RoundLine
from spotui.domain.rows import slot_names
from spotui.domain.text import estimate_tokens
from spotui.engine.racing import FEWEST_ROWS, MOST_BLOCKS
from spotui.lang import _
from spotui.llm.accounts import Ledger
from spotui.llm.connections import Connections
from spotui.runs.means import Means, own_budget
from spotui.runs.prepare import Prepared
from spotui.runs.prune_comparing import (
    MOST_ROWS,
    ROUND,
    Comparer,
    Confirmed,
    DuelComparer,
    RowComparer,
    number_of,
)
from spotui.runs.score import open_context
from spotui.runs.snapshots import kept_as
from spotui.runs.trust import StartMetric
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.projects import Project, Workspace
from spotui.workspace.pruned_file import Pruned, Verdict, write_pruned

MOST_TRIED: Final = 24
"""Cuts that are tried alone at most; a prompt with more pieces is tried by neighbours."""

_FRAGMENT: Final = 60
"""Characters of the prompt by which the calls with it are found in the run's journal."""


class RunLedger:
    """Calls that are kept beside the measurements, and those that the run has bought with the same prompt.

    Args:
        journal: Where new calls are kept.
        bought: The run's, by what they asked.
        number: The number that answers to questions with this prompt are filed under.
    """

    def __init__(self, journal: Journal, bought: Mapping[str, CallLine], number: int) -> None:
        self._journal = journal
        self._bought = bought
        self._number = number
        self._purposes = {line.key.purpose for line in bought.values()}

    def holds(self, key: CallKey) -> bool:
        """See `Ledger.holds`; a call for a row may be the run's, whichever number the row has there."""
        is_of_prompt = key.round in {ROUND, self._number} and key.purpose in self._purposes
        return is_of_prompt or self._journal.holds(key)

    def call(self, key: CallKey, digest: str) -> CallLine | None:
        """The call of that key and digest, or one of the run that asked exactly this."""
        return self._journal.call(key, digest) or self._bought.get(digest)

    def append(self, line: Line) -> None:
        """See `Ledger.append`."""
        self._journal.append(line)

    def check_room(self) -> None:
        """See `Ledger.check_room`."""
        self._journal.check_room()

    async def settled(self) -> None:
        """See `Ledger.settled`."""
        await self._journal.settled()


def bought_by_run(project: Project, prompt: str) -> dict[str, CallLine]:
    """The run's calls to the executor with a prompt, by what they asked.

    Raises:
        JournalError: The journal is damaged.
    """
    literal = max(prompt.replace("}", "{").split("{"), key=len).strip()[:_FRAGMENT]
    if not literal:
        return {}
    fragment = msgspec.json.encode(literal)[1:-1]
    lines: Sequence[AnyLine] = list(read_lines(project.journal, CallLine, holding=fragment))
    return {
        line.digest: line
        for line in lines
        if isinstance(line, CallLine) and line.key.purpose.startswith(("score_", "execute", "held_out"))
    }


def groups_of(prepared: Prepared, prompt: str) -> tuple[Pieces, list[tuple[int, ...]]]:
    """The pieces of a prompt, and the groups of them that are tried alone.

    Raises:
        SpotuiError: Nothing of it can be cut safely.
    """
    pieces = pieces_of(prompt)
    task = prepared.task
    groups = [
        group
        for group in merged(pieces, MOST_TRIED)
        if (short := pieces.without(group)).strip()
        and slot_names(short) == slot_names(prompt)
        and not task.parts_fault(short)
    ]
    if not groups:
        raise SpotuiError(
            _("Nothing of this prompt can be cut: it is one piece, or each piece holds slots, tags or code."),
            _("Choose another round with --round."),
        )
    return pieces, groups


class Cuts(msgspec.Struct, frozen=True):
    """What a pruning takes at most.

    Attributes:
        answers: Answers to rows or questions that are asked.
        duels: Duels of the search.
        checked: Questions that are compared at the end.
        steps: How often it waits for some of them.
        saved: Of all of these, those that racing and an early end may save.
    """

    answers: int
    duels: int = 0
    checked: int = 0
    steps: int = 1
    saved: int = 0


def expected(prepared: Prepared, prompt: str) -> Cuts:
    """What a pruning takes at most: every cut alone, then as many together.

    Raises:
        SpotuiError: Nothing of the prompt can be cut safely.
    """
    groups = len(groups_of(prepared, prompt)[1])
    forms, rows = 2 * groups, prepared.rows
    if rows is not None and prepared.is_marked:
        search, test = min(MOST_ROWS, len(rows.eval) or len(rows.train)), len(rows.test)
        first = min(FEWEST_ROWS, search)
        answers = (1 + forms) * search + 2 * test
        fewest = (2 + groups) * first + 2 * test
        return Cuts(answers, steps=MOST_BLOCKS + groups, saved=max(0, answers - fewest))
    asked, unseen = len(prepared.task.questions), len(prepared.task.held_out)
    answers, checked = (1 + forms) * asked + 2 * unseen, unseen or asked
    return Cuts(answers, forms, checked, 2 + groups, (groups - 1) * (asked + 1))


async def prune(
    project: Project,
    prepared: Prepared,
    line: RoundLine,
    workspace: Workspace,
    connections: Connections,
    emit: Callable[[Event], None],
    *,
    margin: float,
    start_metric: StartMetric,
) -> Pruned:
    """Find a shorter form of a round's prompt, and keep it with the project.

    No call is bought twice: answers that the run has bought with this prompt are known, and what was
    interrupted continues where it was.

    Args:
        project: The project.
        prepared: Its run, with the budget of this pruning.
        line: The round.
        workspace: Where calls are kept.
        connections: The models; they are closed at the end.
        emit: Called with every event.
        margin: The loss that counts as none, 0..1.
        start_metric: Starts a custom metric.

    Raises:
        SpotuiError: Nothing can be cut, or another process measures there.
        Halted: A call failed for good, or the budget is spent; what was bought is kept.
        OSError: The result cannot be written.
    """
    pieces, groups = groups_of(prepared, line.prompt)
    bought = bought_by_run(project, line.prompt)

    def ledger(journal: Journal) -> Ledger:
        return RunLedger(journal, bought, number_of(line.prompt))

    make_marker = prepared.marker(start_metric) if prepared.is_marked else None
    folder = workspace.measured(kept_as(prepared))
    async with open_context(prepared, folder, connections, emit, Means(own_budget, ledger)) as (
        context,
        budget,
    ):
        comparer: Comparer
        if make_marker is None:
            comparer = DuelComparer(prepared, context, line.prompt)
            found = await search(pieces, groups, comparer, line, margin)
        else:
            marker = make_marker(context)
            try:
                comparer = RowComparer(prepared, context, marker, line.prompt, margin)
                found = await search(pieces, groups, comparer, line, margin)
            finally:
                marker.close()
        spent = budget.spending
    found = msgspec.structs.replace(
        found,
        calls=spent.calls,
        cost_usd=spent.cost_usd,
        unpriced=spent.unpriced,
        estimated=spent.estimated,
    )
    write_pruned(project, found)
    return found


async def search(
    pieces: Pieces, groups: Sequence[tuple[int, ...]], comparer: Comparer, line: RoundLine, margin: float
) -> Pruned:
    """Find what can go, and compare the rest with the full prompt.

    Args:
        pieces: The prompt in pieces.
        groups: Those that are tried alone.
        comparer: Compares shorter forms with the full prompt.
        line: The round of the prompt.
        margin: The loss that counts as none, 0..1.

    Raises:
        Halted: A call failed for good, or the budget is spent.
    """
    leads = await comparer.screen([pieces.without(one) for one in groups])
    tried = zip(leads, groups, strict=True)
    ranked = [(lead, pieces.tokens(one), one) for lead, one in tried if lead is not None]
    ranked.sort(key=lambda entry: (-entry[0], -entry[1], entry[2]))
    cut = await _cut_more(pieces, comparer, (), [one for _lead, _tokens, one in ranked])
    short = pieces.without(cut)
    base = Pruned(
        round=line.round,
        full=line.prompt,
        prompt=short,
        cut=texts(pieces, cut),
        tokens_before=estimate_tokens(line.prompt),
        tokens_after=estimate_tokens(short),
        pieces=len(groups),
        kept_safe=sum(one.stays for one in pieces.items),
        verdict="nothing",
        by=comparer.by,
        margin=margin,
        searched=comparer.searched,
    )
    if not cut:
        return base
    confirmed = await comparer.confirm(short)
    paired = confirmed.paired
    return msgspec.structs.replace(
        base,
        verdict=verdict_of(confirmed, margin),
        difference=paired.difference,
        interval=(paired.interval.low, paired.interval.high),
        rows=confirmed.rows,
        is_unseen=confirmed.is_unseen,
        wins=paired.wins,
        losses=paired.losses,
        ties=paired.ties,
    )


def verdict_of(confirmed: Confirmed, margin: float) -> Verdict:
    """What the interval supports: no loss beyond the margin only if all of it is above that."""
    interval = confirmed.paired.interval
    if interval.low > -margin:
        return "within_margin"
    return "worse" if interval.high < 0 else "unsure"


async def _cut_more(
    pieces: Pieces, comparer: Comparer, cut: tuple[int, ...], more: Sequence[tuple[int, ...]]
) -> tuple[int, ...]:
    """The cut with as many more groups as can go with it, those in front first.

    All of them are tried together; where that is too much, one half is, then the other on top of it.
    """
    if not more:
        return cut
    together = (*cut, *(number for group in more for number in group))
    short = pieces.without(together)
    if short.strip():
        (lead,) = await comparer.screen([short])
        if lead is not None:
            return together
    if len(more) == 1:
        return cut
    middle = (len(more) + 1) // 2
    cut = await _cut_more(pieces, comparer, cut, more[:middle])
    return await _cut_more(pieces, comparer, cut, more[middle:])
