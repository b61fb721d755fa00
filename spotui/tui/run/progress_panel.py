"""The worth of each candidate against the calls spent or its price, and what the run has taken over time."""

from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.reactive import var

from spotui.domain.answer_cost import dollars, in_words
from spotui.domain.figures import clock, count, percent, points, usd, verdict, with_interval
from spotui.domain.verdicts import BEST_SO_FAR
from spotui.lang import _
from spotui.tui.canvas import Plot, Point
from spotui.tui.chart import PlotChart
from spotui.tui.focus_paint import Framed
from spotui.tui.run.following import RoundOpened, RoundPointed, RunPanel
from spotui.view.pareto import FRONT, Pareto, PricedPrompt, pareto_of
from spotui.view.picture import Picture
from spotui.view.progress import Progress, Trial

_BOTH_FROM = 18
"""Rows from which on there is room for the spending below the scores."""

_MARKS: Final = {
    "seed": ("◆", "best"),
    "win": ("●", "best"),
    "lead": ("◐", "best"),
    "tie": ("◇", "tie"),
    "undecided": ("◇", "tie"),
    "open": ("◌", "plain"),
    "loss": ("○", "faint"),
    "refused": ("×", "faint"),
    "void": ("×", "faint"),
}
"""The mark and the tone of an outcome; no two that matter differ by colour alone."""


class ProgressPanel(Vertical, Framed, RunPanel):
    """The candidates as points with their intervals, the best so far as a line, and the spending below.

    Attributes:
        shown_chart: The id of the chart that has the place; below `scores` there may be room for spending.
    """

    ALLOW_MAXIMIZE = True
    CARRIED: ClassVar[tuple[str, ...]] = ("shown_chart",)

    DEFAULT_CSS = """
    ProgressPanel {
        & PlotChart { height: 1fr; padding: 0 1; }
        & #spending { height: 8; display: none; }
        &.-tall #spending { display: block; }
        & #price { height: 1fr; display: none; }
        &.-spending #scores { display: none; }
        &.-price #scores, &.-price #spending { display: none; }
        &.-price #price { display: block; }
        &.-spending #spending { height: 1fr; display: block; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "spending", "scores or spending", id="progress.spending"),
        Binding("p", "price", "score against price", id="progress.price"),
    ]

    shown_chart = var("scores")

    def __init__(self) -> None:
        super().__init__()
        self.border_title = _("Progress")
        self._progress = Progress()
        self._trials: dict[str, Trial] = {}
        self._plot = Plot()
        self._pareto = Pareto()

    def compose(self) -> ComposeResult:
        """The scores above, the spending below."""
        scores, spending, prices = (PlotChart(id=name) for name in ("scores", "spending", "price"))
        scores.empty = _("Each candidate appears here once it has a score or a win rate.")
        spending.empty = _("Spending appears here once the first round has ended.")
        prices.empty = _("Each prompt appears here once it has a score on all rows.")
        yield scores
        yield spending
        yield prices

    def show(self, picture: Picture) -> None:
        """Draw what has changed."""
        if not self._progress.update(picture):
            return
        self._pareto = pareto_of(picture)
        self._tell_price(self.query_one("#price", PlotChart).current)
        progress = self._progress
        self._trials = {}
        shown: list[Point] = []
        beside: list[Point] = []
        numbers: dict[int, int] = {}
        for trial in progress.trials:
            place = numbers[trial.round] = numbers.get(trial.round, 0) + 1
            key = f"{trial.round}.{place}"
            self._trials[key] = trial
            mark, tone = _MARKS.get(trial.outcome, ("○", "faint"))
            value, low, high = (
                None if one is None else 100 * one for one in (trial.value, trial.low, trial.high)
            )
            point = Point(trial.calls, value or 0.0, low, high, mark, tone, key)
            (beside if value is None else shown).append(point)
        is_scored = progress.is_scored
        self._plot = Plot(
            tuple(shown),
            tuple(beside),
            tuple((calls, 100 * value) for calls, value in progress.best),
            reference=None if is_scored else 50.0,
            x_title=_("calls"),
            y_title=_("score") if is_scored else _("win rate in the duel, %"),
            y_bounds=(0.0, 100.0),
        )
        is_priced = progress.is_priced
        self.query_one("#spending", PlotChart).show(
            Plot(
                steps=tuple(
                    (one.seconds, one.cost if is_priced else float(one.tokens)) for one in progress.spent
                ),
                x_title=_("working time"),
                y_title=_("USD") if is_priced else _("tokens"),
                x_label=clock,
                y_label=usd if is_priced else _tokens,
                y_bounds=(0.0, float("inf")),
            )
            if len(progress.spent) > 1
            else Plot()
        )
        self._tell(self.query_one("#scores", PlotChart).current)

    def on_resize(self, event: Resize) -> None:
        """There may be room for both charts now."""
        self.set_class(event.size.height >= _BOTH_FROM, "-tall")

    def on_plot_chart_moved(self, event: PlotChart.Moved) -> None:
        """Say what is under the cursor."""
        event.stop()
        if event.chart.id == "price":
            self._tell_price(event.key)
            self.post_message(RoundPointed(self._pareto.prompts[int(event.key)].round))
        elif (trial := self._trials.get(event.key)) is not None:
            self._tell(event.key)
            self.post_message(RoundPointed(trial.round))

    def on_plot_chart_chosen(self, event: PlotChart.Chosen) -> None:
        """Show the answers behind the candidate."""
        event.stop()
        if event.chart.id == "price":
            self.post_message(RoundOpened(self._pareto.prompts[int(event.key)].round))
        elif (trial := self._trials.get(event.key)) is not None:
            self.post_message(RoundOpened(trial.round))

    def action_spending(self) -> None:
        """Show the spending in place of the scores, or the scores again."""
        self._toggle("spending")

    def action_price(self) -> None:
        """Show each prompt's score against the price of an answer, or the scores by calls again."""
        self._toggle("price")

    def _toggle(self, chart: str) -> None:
        self.shown_chart = "scores" if self.shown_chart == chart else chart
        self.query_one(f"#{self.shown_chart}", PlotChart).focus()

    def watch_shown_chart(self) -> None:
        """Give the place to another chart."""
        for chart in ("spending", "price"):
            self.set_class(self.shown_chart == chart, f"-{chart}")

    def _tell_price(self, key: str) -> None:
        """Draw scores against prices; the legend says what is under the cursor."""
        prompts, is_priced = self._pareto.prompts, self._pareto.is_priced
        front = [one for one in prompts if one.is_on_front]
        chosen = prompts[int(key)] if key and int(key) < len(prompts) else None
        self.query_one("#price", PlotChart).show(
            Plot(
                tuple(_priced(place, one) for place, one in enumerate(prompts)),
                steps=tuple((one.price, 100 * one.score) for one in front) if len(front) > 1 else (),
                x_title=_("USD an answer") if is_priced else _("tokens an answer"),
                y_title=_("score"),
                x_label=dollars if is_priced else _tokens,
                y_bounds=(0.0, 100.0),
                legend=_price_legend() if chosen is None else _price_in_words(chosen),
            )
        )

    def _tell(self, key: str) -> None:
        """Say above the chart what is under the cursor; a text in the frame would paint all of the panel."""
        trial = self._trials.get(key)
        text = self._legend() if trial is None else _in_words(trial, is_scored=self._progress.is_scored)
        self.query_one("#scores", PlotChart).show(replace(self._plot, legend=text))

    def _legend(self) -> str:
        """The marks that are in the chart."""
        present = dict.fromkeys(trial.outcome for trial in self._progress.trials)
        marks = {outcome: _MARKS[outcome][0] for outcome in _MARKS if outcome in present}
        return "  ".join(
            f"{mark} {_('running') if outcome == 'open' else verdict(outcome, None)}"
            for outcome, mark in marks.items()
        )


def _tokens(number: float) -> str:
    return count(round(number))


def _priced(index: int, priced: PricedPrompt) -> Point:
    mark = "●" if priced.is_best else FRONT if priced.is_on_front else "○"
    tone = "best" if priced.is_best else "win" if priced.is_on_front else "faint"
    return Point(priced.price, 100 * priced.score, None, None, mark, tone, str(index))


def _price_legend() -> str:
    return _("● best  {front} front: none is as good for less  ○ other", front=FRONT)


def _price_in_words(priced: PricedPrompt) -> str:
    facts = [points(priced.score), in_words(priced.cost)]
    return _("round {round}  {facts}", round=priced.round, facts="  ".join(facts))


def _in_words(trial: Trial, *, is_scored: bool) -> str:
    shown = points if is_scored else percent
    value = _("no value") if trial.value is None else shown(trial.value)
    if trial.value is not None and trial.low is not None and trial.high is not None:
        value = with_interval(value, shown(trial.low), shown(trial.high))
    outcome = _("running") if trial.outcome == "open" else verdict(trial.outcome, None)
    star = "*" if trial.outcome in BEST_SO_FAR else ""
    return _(
        "round {round}{star}  {value}  {outcome}", round=trial.round, star=star, value=value, outcome=outcome
    )
