"""Probes that are scored on rows, block by block."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from spotui.domain.rows import Row, SplitName
from spotui.domain.statistics import Comparison, compare, score
from spotui.engine import Candidate, RowOutcome, RowSet, Splits, together
from spotui.engine.context import Context
from spotui.engine.marking import Marker
from spotui.engine.score import Scorer
from spotui.lang import _
from spotui.llm.limits import Halted
from spotui.methods.method import points, shown, shown_input
from spotui.runs.headroom.plan import (
    CANDIDATES,
    FINALISTS,
    PROPOSALS,
    SHOWN,
    Plan,
    cost_of,
    plan_rows,
    probes_of,
)
from spotui.runs.headroom.probes import Probe
from spotui.runs.headroom.proposals import AGAIN, SEED, Proposals
from spotui.runs.prepare import Prepared
from spotui.workspace.headroom_file import Headroom, Probed, Repeated

CONFIDENCE: Final = 0.95
"""Of the interval of the best probe, all of which has to be above 0. That says "no headroom" in 98 of 100
worlds without any, although the best of six was chosen on some of the rows (benchmarks/headroom.py)."""

_SUGGESTED: Final = "gpo"
RACED: Final = 0.55
"""The part of the marks that racing needs (benchmarks/landscape)."""

RowAt = tuple[SplitName, int]


class RowProbes:
    """Probes that are scored on rows.

    Args:
        prepared: The template.
        context: What calls are made with.
        marker: Marks the answers.
    """

    def __init__(self, prepared: Prepared, context: Context, marker: Marker) -> None:
        assert prepared.rows is not None  # noqa: S101 - it was prepared for scoring
        self._prepared = prepared
        self._context = context
        self._marker = marker
        self._splits = Splits(prepared.rows)
        self._scorers: dict[tuple[int, str], Scorer] = {}
        self._seed = prepared.task.prompt

    async def measure(self) -> Headroom:
        """Ask, block by block."""
        probes, left_out = probes_of(self._prepared)
        examples, places = self._drawn()
        plan = plan_rows(self._prepared, len(places), len(probes) + PROPOSALS)
        probes += await Proposals(self._context).ask(await self._examples(examples), probes)
        first, second = places[: plan.first], places[plan.first : plan.first + plan.second]
        rest = places[plan.first + plan.second :][: plan.rest]
        seed, again, *others = await together(
            [
                self._marks(self._seed, first),
                self._marks(self._seed, first, number=AGAIN),
                *(self._marks(one.prompt, first) for one in probes),
            ]
        )
        if all(mark is None for mark in seed):
            raise Halted("unmarked", _("No answer to the seed prompt could be marked."))
        marks = {one.name: found for one, found in zip(probes, others, strict=True)}
        finalists = self._leaders(probes, seed, marks, FINALISTS)
        seed = [*seed, *await self._more(self._seed, second)]
        for one, more in zip(
            finalists, await together([self._more(one.prompt, second) for one in finalists]), strict=True
        ):
            marks[one.name] = [*marks[one.name], *more]
        best = self._leaders(finalists, seed, marks, 1)
        for one in best:
            whole, more = await together([self._more(self._seed, rest), self._more(one.prompt, rest)])
            seed = [*seed, *whole]
            marks[one.name] = [*marks[one.name], *more]
        return self._result(plan, probes, best, finalists, marks, seed, again, left_out)

    def _result(
        self,
        plan: Plan,
        probes: Sequence[Probe],
        best: Sequence[Probe],
        finalists: Sequence[Probe],
        marks: Mapping[str, Sequence[float | None]],
        seed: Sequence[float | None],
        again: Sequence[float | None],
        left_out: tuple[str, ...],
    ) -> Headroom:
        compared = {one.name: self._compared(seed, marks[one.name]) for one in probes}
        winner = best[0].name if best else ""
        found = bool(winner) and compared[winner].interval.low > 0
        order = [*best, *(one for one in finalists if one not in best)]
        order += [one for one in probes if one not in order]
        total = score(seed, seed=self._prepared.settings.seed)
        repeat = compare(seed[: len(again)], again)
        probed = [
            _probed(
                one, marks[one.name], compared[one.name], is_finalist=one in finalists, is_best=one in best
            )
            for one in order
        ]
        return Headroom(
            template=self._prepared.path.name,
            prompt=self._seed,
            by="rows",
            found=found,
            is_sure=True,
            score=total.mean,
            score_interval=(total.interval.low, total.interval.high),
            rows=total.rows,
            repeated=Repeated(
                rows=repeat.wins + repeat.losses + repeat.ties,
                changed=repeat.wins + repeat.losses,
                gain=repeat.difference,
            ),
            floor=compared[winner].floor if winner else None,
            best=winner,
            probes=tuple(probed),
            left_out=left_out,
            method=self._method() if found else "",
            budget=self._suggested() if found else 0,
            planned=plan.calls,
        )

    def _method(self) -> str:
        """The method that was chosen, where it works on rows."""
        return self._prepared.name if self._prepared.method.scores else _SUGGESTED

    def _suggested(self) -> int:
        """Calls for some raced candidates and the test of the best one, in whole fifties."""
        one = cost_of(self._prepared)
        rows = len(self._splits.eval) * (1 + RACED * CANDIDATES) + 2 * len(self._splits.test)
        return -(-int(one * rows + CANDIDATES) // 50) * 50

    def _drawn(self) -> tuple[list[RowAt], list[RowAt]]:
        """Train rows that the optimizer sees, and the rows that probes are asked, eval rows first."""
        chance = random.Random(f"{self._prepared.settings.seed}/headroom")  # noqa: S311 - reproducible
        train: list[RowAt] = [("train", position) for position in self._splits.train.positions]
        places: list[RowAt] = [("eval", position) for position in self._splits.eval.positions]
        chance.shuffle(train)
        chance.shuffle(places)
        shown = train[:SHOWN]
        texts = "\n".join(one.prompt for one in probes_of(self._prepared)[0])
        rest = [place for place in train[SHOWN:] if self._row(place).question not in texts]
        return shown, [*places, *rest]

    def _row(self, filed: RowAt) -> Row:
        return self._splits.of(filed[0]).row(filed[1])

    async def _examples(self, places: Sequence[RowAt]) -> str:
        """Train rows with the answers to the seed, those that are wrong first."""
        rows = self._splits.train.at(sorted(position for _split, position in places))
        found = await self._scorer(self._seed, SEED).outcomes(SEED, self._seed, rows)
        found.sort(key=lambda one: 1.0 if one.mark is None else one.mark)
        return "\n\n".join(self._example(number, rows, one) for number, one in enumerate(found, 1))

    def _example(self, number: int, rows: RowSet, outcome: RowOutcome) -> str:
        row = rows.row(outcome.position)
        task = self._context.task
        mark = "Score: not marked" if outcome.mark is None else "Score: {points} of 100"
        expected = shown(" | ".join(row.references)) or task.say("not known")
        return "\n".join(
            (
                task.say("Question {n}: {text}", n=number, text=shown_input(row)),
                task.say("Answer: {text}", text=shown(outcome.answer)),
                task.say("Expected: {references}", references=expected),
                task.say(mark, points=points(outcome.mark or 0.0)),
            )
        )

    def _scorer(self, prompt: str, number: int) -> Scorer:
        """One for each prompt: what its calls are filed under must not depend on the others."""
        key = (number, prompt)
        if key not in self._scorers:
            prepared = self._prepared
            self._scorers[key] = Scorer(
                self._context, self._marker, prepared.layout, self._splits, prepared.settings.seed
            )
        return self._scorers[key]

    async def _marks(self, prompt: str, places: Sequence[RowAt], *, number: int = SEED) -> list[float | None]:
        """The marks of a prompt on some rows, in their order."""
        scorer, found = self._scorer(prompt, number), dict[RowAt, float | None]()
        for split in ("eval", "train"):
            positions = sorted(position for name, position in places if name == split)
            if positions:
                rows = self._splits.of(split).at(positions)
                (scored,) = await scorer.score(number, [Candidate(round=SEED, prompt=prompt)], rows)
                found |= {(split, at): mark for at, mark in zip(positions, scored.marks, strict=True)}
        return [found[place] for place in places]

    async def _more(self, prompt: str, places: Sequence[RowAt]) -> list[float | None]:
        return await self._marks(prompt, places) if places else []

    def _leaders(
        self,
        probes: Sequence[Probe],
        seed: Sequence[float | None],
        marks: Mapping[str, Sequence[float | None]],
        count: int,
    ) -> list[Probe]:
        """The best probes on the rows that all of them were asked; among equals the earlier ones."""
        gains = {one.name: self._compared(seed, marks[one.name]).difference for one in probes}
        return sorted(probes, key=lambda one: -gains[one.name])[:count]

    def _compared(self, seed: Sequence[float | None], marks: Sequence[float | None]) -> Comparison:
        seed = seed[: len(marks)]
        return compare(seed, marks, seed=self._prepared.settings.seed, confidence=CONFIDENCE)


def _probed(
    probe: Probe, marks: Sequence[float | None], comparison: Comparison, *, is_finalist: bool, is_best: bool
) -> Probed:
    return Probed(
        name=probe.name,
        prompt=probe.prompt,
        change=probe.change,
        rows=comparison.wins + comparison.losses + comparison.ties,
        score=score(marks).mean,
        gain=comparison.difference,
        interval=(comparison.interval.low, comparison.interval.high) if is_best else None,
        wins=comparison.wins,
        losses=comparison.losses,
        ahead=is_finalist and comparison.difference > 0,
    )
