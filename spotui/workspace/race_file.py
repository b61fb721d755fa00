"""race.json: which methods race on a template, and what the test says once all have ended.

How each of them stands is in its own project, so nothing of that is written down twice.
"""

from contextlib import suppress
from typing import Final

import msgspec

from spotui.domain.answer_cost import AnswerCost
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import limit
from spotui.lang import _, ngettext
from spotui.settings.table import BudgetSettings
from spotui.workspace.projects import Project, Workspace, folders_in
from spotui.workspace.record_folder import Record, RecordFolder

VERSION = 1
_NAME = "race.json"
_LOCK = "race"
_WITHOUT_EFFECT = ("--final-check", "--no-final-check")
"""Flags that a race once took and did nothing with; it refuses them now."""


class RaceError(SpotuiError):
    """A race that cannot be read."""


class Tested(msgspec.Struct, frozen=True):
    """What a method's best prompt is worth on rows that nothing has seen before.

    Attributes:
        method: The method.
        improved: Whether its best prompt is another one than the seed.
        score: The mean mark, 0..1.
        interval: Its 95% interval.
        gain: Best against seed, row by row.
        gain_interval: Its 95% interval.
        calls: Of its run, without the test.
        tokens: See `calls`.
        cost_usd: See `calls`.
        unpriced: Calls whose price is unknown.
        estimated: Whether any part of `tokens` and `cost_usd` is an estimate.
        floor: The A/A floor of the gain: a lower one is no more than noise.
        seconds: How long it worked.
        rounds: How many ended.
        per_answer: The cost of an answer with its best prompt, on the test rows.
    """

    method: str
    improved: bool
    score: float
    interval: tuple[float, float]
    gain: float
    gain_interval: tuple[float, float]
    calls: int
    tokens: int
    cost_usd: float
    unpriced: int
    seconds: float
    rounds: int
    estimated: bool = False
    floor: float = 0.0
    per_answer: AnswerCost | None = None


class Compared(msgspec.Struct, frozen=True):
    """Two methods row by row, from the side of the first.

    Attributes:
        one: A method.
        other: Another.
        difference: Of their scores.
        interval: Its 95% interval.
        won: Rows that the first answers better.
        lost: Rows that it answers worse.
        settled: Whether it is more than chance.
        floor: The A/A floor of the difference.
    """

    one: str
    other: str
    difference: float
    interval: tuple[float, float]
    won: int
    lost: int
    settled: bool
    floor: float = 0.0


class Continued(msgspec.Struct, frozen=True):
    """The method that continues with what the others' shares of the budget leave.

    Attributes:
        method: The method.
        scores: What each method's best prompt scored on the eval rows, which decided it.
        limits: Those it continues with; none where nothing is left to spend or to gain.
    """

    method: str
    scores: dict[str, float]
    limits: dict[str, float | int | None]


class RaceRecord(Record, frozen=True, kw_only=True):
    """A race.

    Attributes:
        version: The format of this file.
        template: What the template is called.
        methods: Who races, in the order in which they run.
        words: What the race was started with; the same words resume it.
        rows: Test rows; 0 before the test.
        tested: The best score first; empty before the test.
        compared: Every method against every one behind it.
        continued: The method that continued, once it is chosen.
    """

    version: int = VERSION
    template: str
    methods: tuple[str, ...]
    rows: int = 0
    tested: tuple[Tested, ...] = ()
    compared: tuple[Compared, ...] = ()
    continued: Continued | None = None


RUNGS: Final = 2
"""Where one method continues, all share one part in so many of the budget, and it has the rest."""


def shared(budget: BudgetSettings, methods: int) -> BudgetSettings:
    """The budget of each method before the most promising one is known.

    Args:
        budget: That of the whole race.
        methods: How many race.

    Raises:
        SpotuiError: There is no budget, or it is too small to be shared.
    """
    parts = RUNGS * methods
    limits = {name: value for name, value in msgspec.structs.asdict(budget).items() if value is not None}
    if not limits:
        raise SpotuiError(
            _("There is no budget to share between the methods and the one that continues."),
            _("Set one, for example --budget-calls 2000, or leave --continue out."),
        )
    found: dict[str, float | int] = {}
    for name, value in limits.items():
        is_whole = isinstance(value, int) and name in ("calls", "tokens")
        found[name] = value // parts if is_whole else value / parts
        if not found[name]:
            raise SpotuiError(
                ngettext(
                    "A budget of {limit} {name} is too small to be shared by {n} method.",
                    "A budget of {limit} {name} is too small to be shared by {n} methods.",
                    methods,
                    limit=limit(value),
                    name=name,
                ),
                _("Set at least {parts}.", parts=parts),
            )
    return BudgetSettings(**found)  # type: ignore[arg-type]


def share_in_words(share: BudgetSettings, methods: int) -> str:
    """What each method gets, and what becomes of the rest."""
    given = {name: value for name, value in msgspec.structs.asdict(share).items() if value is not None}
    return _(
        "Each of {n} methods gets {parts}: half of the budget in equal parts. The rest goes to the most "
        "promising one.",
        n=methods,
        parts=", ".join(f"{limit(value)} {name}" for name, value in given.items()),
    )


class RaceFolder(RecordFolder[RaceRecord]):
    """Where a race is kept; see `RecordFolder`."""

    file = _NAME
    lock_name = _LOCK
    record = RaceRecord
    newest = VERSION
    error = RaceError

    def advice(self) -> str:
        """What to do where the file cannot be read."""
        return _("Start the race again.")

    def read(self) -> RaceRecord:
        """What is written down of it; see `RecordFolder.read`."""
        record = super().read()
        words = tuple(word for word in record.words if word not in _WITHOUT_EFFECT)
        return msgspec.structs.replace(record, words=words)


def race_of(project: Project, workspace: Workspace) -> RaceFolder | None:
    """The race that a project is a run of, or None."""
    name, slash, _ = project.name.partition("/")
    found = RaceFolder(workspace, name) if slash else None
    return found if found is not None and found.exists else None


def race_names(workspace: Workspace) -> list[str]:
    """Every race of a workspace, the last changed last."""
    found: list[tuple[int, str]] = []
    for folder in folders_in(workspace.measured("x").parent):
        with suppress(OSError):
            found.append(((folder / _NAME).lstat().st_mtime_ns, folder.name))
    return [name for _, name in sorted(found)]
