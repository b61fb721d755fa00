"""A race as it stands: every method's run from its own project, and what the test says once there is one."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from spotui.domain.figures import gained, limit, points
from spotui.domain.verdicts import BEST_SO_FAR
from spotui.lang import _, ngettext
from spotui.settings.table import value_at
from spotui.workspace.history import HELD, History, is_estimated, read_history
from spotui.workspace.projects import Project
from spotui.workspace.race_file import Compared, Continued, RaceFolder, RaceRecord, Tested
from spotui.workspace.snapshot import read_snapshot

_SHARED: Final = ("usd", "tokens", "calls", "minutes")


class Lane(NamedTuple):
    """How one method stands.

    Attributes:
        method: Its name.
        state: waiting, running, interrupted, or its stop reason.
        rounds: How many ended.
        wanted: How many there will be at most; 0 when unknown.
        best: The best round; 0 before the seed round has ended.
        score: What its best prompt scores on the rows it was chosen by; None where nothing is scored.
        tokens: Of its rounds, or of its whole run once it was tested; the others alike.
        cost_usd: See `tokens`; None when a price is unknown.
        estimated: Whether any part of `tokens` and `cost_usd` is an estimate.
        seconds: See `tokens`.
        tested: What the test says.
        share: How far it is, 0..1: of its rounds or of its budget of calls, whichever is used up more.
        curve: After each round, the calls until then and the best score until then.
    """

    method: str
    state: str
    rounds: int = 0
    wanted: int = 0
    best: int = 0
    score: float | None = None
    tokens: int = 0
    estimated: bool = False
    cost_usd: float | None = 0.0
    seconds: float = 0.0
    tested: Tested | None = None
    share: float = 0.0
    curve: tuple[tuple[int, float], ...] = ()


class Race(NamedTuple):
    """A race.

    Attributes:
        name: The folder of its runs.
        template: What they work on.
        state: running, testing, not running, or finished.
        lanes: A method each: in the order they run, or the best test score first.
        rows: Test rows.
        compared: Every method against every one behind it.
        words: The arguments that resume it.
        continued: The method that continued with the rest of the budget, once it is chosen.
    """

    name: str
    template: str
    state: str
    lanes: tuple[Lane, ...]
    rows: int
    compared: tuple[Compared, ...]
    words: tuple[str, ...]
    continued: Continued | None = None


class RaceReader:
    """Reads a race again and again; only projects that changed are read anew.

    Args:
        folder: Where it is kept.
    """

    def __init__(self, folder: RaceFolder) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int | None, Lane]] = {}

    def read(self) -> Race:
        """How it stands now.

        Raises:
            SpotuiError: It, or one of its projects, cannot be read.
        """
        is_running = self._folder.is_running  # before the rest: one that ends meanwhile is not cut off
        record = self._folder.read()
        tested = {one.method: one for one in record.tested}
        lanes = [self._lane(method, tested.get(method)) for method in record.methods]
        if tested:
            lanes.sort(key=lambda one: -1.0 if one.tested is None else one.tested.score, reverse=True)
        return Race(
            self._folder.name,
            record.template,
            _state(record, lanes, is_running=is_running),
            tuple(lanes),
            record.rows,
            record.compared,
            record.words,
            record.continued,
        )

    def _lane(self, method: str, tested: Tested | None) -> Lane:
        project = self._folder.project(method)
        changed = project.changed
        known = self._known.get(method)
        if known is None or known[0] != changed or known[1].state in HELD:
            lane = _read(method, project) if project.exists else Lane(method, "waiting")
            self._known[method] = known = changed, lane
        if tested is None:
            return known[1]
        is_priced = not tested.unpriced
        return known[1]._replace(
            tested=tested,
            tokens=tested.tokens,
            estimated=tested.estimated,
            cost_usd=tested.cost_usd if is_priced else None,
            seconds=tested.seconds,
        )


def winner(race: Race) -> str:
    """Which method the test puts first, and whether its lead is more than chance; empty before the test."""
    first = next((lane for lane in race.lanes if lane.tested is not None), None)
    if first is None or first.tested is None:
        return ""
    if not first.tested.improved:
        return _("No winner: no method found a better prompt than the seed.")
    gain = gained(first.tested.gain, first.tested.gain_interval, first.tested.floor)
    if first.tested.gain < first.tested.floor:
        return _(
            "No winner: the gain of {method}, the best one, may be chance: {gain}.",
            method=first.method,
            gain=gain,
        )
    close = [
        one.other if one.one == first.method else one.one
        for one in race.compared
        if first.method in (one.one, one.other) and not one.settled
    ]
    lead = _(" Its lead over {close} may be chance.", close=_(" and ").join(close)) if close else ""
    return _("Winner: {method}, {gain} on the seed.{lead}", method=first.method, gain=gain, lead=lead)


def is_tested(race: Race) -> bool:
    """Whether the test rows have been asked."""
    return any(lane.tested is not None for lane in race.lanes)


def ahead(race: Race) -> str:
    """Which method scores best as long as no test has decided; empty once it has."""
    if is_tested(race):
        return ""
    scored = sorted(
        ((lane.score, lane.method) for lane in race.lanes if lane.score is not None and lane.best > 1),
        key=lambda one: -one[0],
    )
    if not scored:
        return _("No method has a better prompt than the seed yet.")
    score, method = scored[0]
    return _(
        "Ahead so far: {method}, {score} on the rows it chooses by. The test rows decide at the end.",
        method=method,
        score=points(score),
    )


def continued_in_words(continued: Continued) -> str:
    """Which method continued, and by what it was chosen."""
    scores = ", ".join(
        f"{method} {points(score)}"
        for method, score in sorted(continued.scores.items(), key=lambda one: -one[1])
    )
    if not scores:
        return _("{method} continued: no eval row could be marked.", method=continued.method)
    if not continued.limits:
        return _(
            "{method} is the most promising and has nothing to continue with. On the eval rows: {scores}.",
            method=continued.method,
            scores=scores,
        )
    most = ", ".join(f"{limit(value)} {name}" for name, value in continued.limits.items() if name in _SHARED)
    return _(
        "{method} continues with the rest of the budget, {most} in all. On the eval rows: {scores}.",
        method=continued.method,
        most=most,
        scores=scores,
    )


def against_each_other(race: Race) -> list[str]:
    """What the test says of every two methods, a line each."""
    if not race.compared:
        return []
    return [
        ngettext("Row by row on {n:,} test row:", "Row by row on {n:,} test rows:", race.rows),
        *map(_pair, race.compared),
    ]


def _pair(compared: Compared) -> str:
    found = ngettext(
        "{one} against {other}: {gained}, {n:,} row won, {lost:,} lost",
        "{one} against {other}: {gained}, {n:,} rows won, {lost:,} lost",
        compared.won,
        one=compared.one,
        other=compared.other,
        gained=gained(compared.difference, compared.interval, compared.floor),
        lost=compared.lost,
    )
    return found if compared.settled else _("{found}; that may be chance", found=found)


def _state(record: RaceRecord, lanes: list[Lane], *, is_running: bool) -> str:
    if is_running:
        is_over = all(one.state not in {"waiting", "interrupted"} | HELD for one in lanes)
        return "testing" if is_over and not record.tested else "running"
    return "finished" if record.tested else _("not running")


def _read(method: str, project: Project) -> Lane:
    history = read_history(project)
    settings: Mapping[str, object] = read_snapshot(project.snapshot).settings
    wanted = history.limits.get("rounds") or settings.get("max_rounds")
    best = history.best
    calls = sum(line.calls for line in history.rounds)
    most = history.limits.get("calls", value_at(settings, ("budget", "calls")))
    shares = [
        done / limit
        for done, limit in ((len(history.rounds), wanted), (calls, most))
        if isinstance(limit, int | float) and limit > 0
    ]
    return Lane(
        method,
        _state_of(history),
        rounds=len(history.rounds),
        wanted=wanted if isinstance(wanted, int) else 0,
        best=best.round if best is not None else 0,
        score=best.score if best is not None else None,
        tokens=sum(line.prompt_tokens + line.completion_tokens for line in history.rounds),
        estimated=is_estimated(history.rounds),
        cost_usd=history.spent[0],
        seconds=history.stop.seconds if history.stop else sum(line.seconds for line in history.rounds),
        share=min(1.0, max(shares, default=0.0)),
        curve=tuple(_curve(history)),
    )


def _curve(history: History) -> Iterator[tuple[int, float]]:
    calls, best = 0, 0.0
    for line in history.rounds:
        calls += line.calls
        if line.score is not None and line.outcome in BEST_SO_FAR:
            best = line.score
        if best or line.score is not None:
            yield calls, best


def _state_of(history: History) -> str:
    return "waiting" if history.state == "interrupted" and not history.rounds else history.standing
