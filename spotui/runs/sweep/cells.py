"""From the cells of a plan to what is run: the preparation of runs and tests, and what all would take."""

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import count, duration, usd
from spotui.lang import _, as_english, join, ngettext
from spotui.llm.spending import Amounts
from spotui.runs.estimate import Estimate, estimate
from spotui.runs.prepare import Prepared
from spotui.runs.race import entrant
from spotui.runs.task import is_judged
from spotui.settings.resolve import Flags, FlagValue
from spotui.settings.resources import find_template
from spotui.settings.table import BudgetSettings
from spotui.workspace.paces import measured_paces
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher
    from spotui.runs.sweep.plan import Cell, Plan

_MOST_LOOKED_AT: Final = 200
"""Kinds of runs that are prepared before anything starts; of more, this many are drawn evenly."""

_SLACK: Final = 1.25
"""What the test may take beyond its estimate before the budget is too small for it."""

_UNKNOWN_SHARE: Final = 0.1
"""The part of a budget that is kept back for the test where a method does not say what it takes."""


class SweepEstimate(NamedTuple):
    """What a sweep is expected to take.

    Attributes:
        runs: How many runs have not ended yet.
        calls: Of all of them, and of the test.
        tokens: See `calls`.
        usd: See `calls`; None when a price is unknown.
        seconds: With so many runs at once as the sweep has.
        test: The part of the test.
        is_known: Whether all methods say what they take.
        batches: How often a run waits for a batch at most; `seconds` is without that.
    """

    runs: int
    calls: int
    tokens: int
    usd: float | None
    seconds: float
    test: Amounts
    is_known: bool
    batches: int = 0

    @property
    def line(self) -> str:
        """The estimate on one line."""
        figures = _(
            "at most about {calls:,} calls, {tokens} tokens, {cost}, {time}",
            calls=self.calls,
            tokens=count(self.tokens, estimated=True),
            cost=usd(self.usd, estimated=True),
            time=duration(self.seconds),
        )
        if not self.is_known:
            figures = _("{figures}, without methods that do not say what they take", figures=figures)
        line = ngettext("{n:,} run: {figures}.", "{n:,} runs: {figures}.", self.runs, figures=figures)
        if not self.batches:
            return line
        waits = ngettext(
            "A run waits for at most {n:,} batch, a day at most.",
            "A run waits for at most {n:,} batches, one after another, a day at most for each.",
            self.batches,
        )
        return join(line, waits)


class Cells:
    """Prepares the runs of a plan.

    Args:
        launcher: What runs are made with.
        plan: The plan.
        typed: Settings that were typed; they take precedence over the plan's.
        workspace: Where the runs are.
    """

    def __init__(self, launcher: "Launcher", plan: "Plan", typed: Flags, workspace: Workspace) -> None:
        self._launcher = launcher
        self._plan = plan
        self._typed = typed
        self._workspace = workspace
        self._test = lru_cache(maxsize=64)(self._prepare_test)

    def path(self, cell: "Cell") -> Path:
        """The template's file: beside the plan, or an example of that name.

        Raises:
            SpotuiError: There is none.
        """
        name = os.path.expanduser(self._plan.templates[cell.template])  # noqa: PTH111 - it may be a bare name
        beside = self._plan.path.parent / name
        return beside if beside.is_file() else find_template(name)

    def flags(self, cell: "Cell") -> Flags:
        """The settings of a run that the plan or the command line gives."""
        given: dict[str, FlagValue] = {}
        for name, value in self._plan.settings_of(cell).items():
            given[name] = value if isinstance(value, str | float | int | bool) else str(value)
        return Flags(**{**given, **self._typed})

    def entrant(self, cell: "Cell") -> Prepared:
        """What a run is started with; its best prompt is tested by the sweep.

        Raises:
            SpotuiError: Template, settings, method or parameters cannot be used.
        """
        choice = self._plan.method_of(cell)
        prepared = self._launcher.prepare(
            self.path(cell), self.flags(cell), method=choice.name, parameters=choice.parameters
        )
        return entrant(prepared)

    def test(self, cell: "Cell") -> Prepared:
        """What the best prompt of a run is tested with.

        Raises:
            SpotuiError: The template has no test rows, or nothing marks their answers.
        """
        return self._test(cell._replace(method=""))

    def _prepare_test(self, cell: "Cell") -> Prepared:
        path = self.path(cell)
        test = self._launcher.prepare(path, self.flags(cell), purpose="score")
        if not test.sizes.get("test"):
            raise SpotuiError(
                _("{path} has no test rows.", path=path.name), _("A sweep compares on unseen rows.")
            )
        settings = msgspec.structs.replace(test.settings, budget=BudgetSettings())
        return msgspec.structs.replace(test, settings=settings)

    def group(self, cell: "Cell") -> str:
        """A mark that runs share whose prompts are tested alike: the same rows, models and marks."""
        test = self.test(cell)
        settings, rows = test.settings, test.rows
        asked: list[object] = [settings.roles.executor, settings.program, settings.base_url, settings.grammar]
        if is_judged(test.template):
            asked += [settings.roles.evaluator, settings.panel]
        said = [test.text, asked, None if rows is None else rows.test]
        return blake2b(msgspec.json.encode(said, enc_hook=as_english), digest_size=6).hexdigest()

    def samples(self, cells: Iterable["Cell"]) -> list["Cell"]:
        """A run of each kind, whatever its seed; of very many kinds, some with every label among them."""
        kinds = list({cell._replace(seed=0): cell for cell in cells}.values())
        if len(kinds) <= _MOST_LOOKED_AT:
            return kinds
        step = len(kinds) // _MOST_LOOKED_AT
        drawn = dict.fromkeys(kinds[::step])
        for axis in range(len(kinds[0]) - 1):
            drawn |= dict.fromkeys({cell[axis]: cell for cell in kinds}.values())
        return list(drawn)

    def estimate(self, cells: Sequence["Cell"], tested: Sequence["Cell"], parallel: int) -> SweepEstimate:
        """What some runs would take, and the test of all.

        Args:
            cells: The runs that have not ended.
            tested: All runs.
            parallel: How many work at once.

        Raises:
            SpotuiError: A run cannot be prepared, or the endpoint of a model is unknown.
        """
        drawn = self.samples(cells or tested)
        paces = measured_paces(
            self._workspace, {model for one in drawn for model in self.entrant(one).settings.models}
        )
        found: list[Estimate] = []
        for cell in drawn:
            prepared = self.entrant(cell)
            one = estimate(prepared, self._launcher.connector(prepared.settings), paces)
            if one is not None:
                found.append(one)
        each = 1 / max(1, len(found))
        runs = len(cells)
        costs = [one.usd for one in found]
        test = self._of_test(tested, found)
        spent = None if None in costs else sum(cost for cost in costs if cost is not None) * each * runs
        return SweepEstimate(
            runs=runs,
            calls=round(sum(one.calls for one in found) * each * runs) + test.calls,
            tokens=round(sum(one.tokens for one in found) * each * runs) + test.tokens,
            usd=None if spent is None else spent + test.usd,
            seconds=sum(one.seconds for one in found) * each * runs / max(1, min(parallel, runs)),
            test=test,
            is_known=len(found) == len(drawn),
            batches=max((one.batches for one in found), default=0),
        )

    def _of_test(self, cells: Sequence["Cell"], estimates: Sequence[Estimate]) -> Amounts:
        """What the test takes where every run finds a prompt: its own calls, and the seed's once."""
        shares = [
            share for one in estimates for share in one.shares if share.role == "executor" and share.calls
        ]
        asked = sum(share.calls for share in shares)
        each_tokens = sum(share.prompt_tokens + share.completion_tokens for share in shares) / max(1, asked)
        each_usd = sum(share.usd or 0.0 for share in shares) / max(1, asked)
        kinds = self.samples(cells)
        rows = [self.test(one) for one in kinds]
        calls = sum(one.sizes["test"] * (1 + is_judged(one.template)) for one in rows) / max(1, len(kinds))
        sets = len({cell._replace(method="") for cell in cells})
        total = round(calls * (len(cells) + sets))
        return Amounts(total, round(total * each_tokens), total * each_usd)


def kept_back(budget: BudgetSettings, expected: SweepEstimate) -> Amounts:
    """The part of a budget that the runs leave for the test.

    Raises:
        SpotuiError: The budget has no room for the test.
    """
    test = expected.test
    tokens, cost = round(test.tokens * _SLACK), test.usd * _SLACK
    if not expected.is_known:
        tokens = max(tokens, int((budget.tokens or 0) * _UNKNOWN_SHARE))
        cost = max(cost, (budget.usd or 0.0) * _UNKNOWN_SHARE)
    if budget.calls is not None and test.calls >= budget.calls:
        raise SpotuiError(
            _(
                "A budget of {n:,} calls is too small: testing the best prompts takes {test:,} of them.",
                n=int(budget.calls),
                test=test.calls,
            ),
            _("Set a larger one, or plan fewer runs or test rows."),
        )
    return Amounts(test.calls, tokens, cost)
