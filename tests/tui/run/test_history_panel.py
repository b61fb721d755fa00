"""The rounds of a run, one row each."""

from textual.message import Message
from textual.pilot import Pilot

from spotui.domain.events import (
    CandidateProposed,
    Event,
    RoundFinished,
    RoundStarted,
    VerdictOverridden,
    VoteCast,
)
from spotui.tui.run.following import RoundOpened
from spotui.tui.run.history_panel import HistoryPanel
from spotui.tui.table_view import TableView
from spotui.view.picture import Picture
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen, until, until_seen
from tests.view.test_picture import OPENED, painted

WIDE, NARROW = (130, 12), (42, 12)


class Listening(AloneApp[HistoryPanel]):
    """Hears what the panel tells."""

    def __init__(self, widget: HistoryPanel) -> None:
        super().__init__(widget)
        self.heard: list[tuple[str, int]] = []

    def _hear(self, message: Message) -> None:
        assert isinstance(message, HistoryPanel.Selected | RoundOpened | HistoryPanel.Marked)
        self.heard.append((type(message).__name__, message.number))

    on_history_panel_selected = on_round_opened = on_history_panel_marked = _hear


def a_win(number: int, cost: float | None = 0.25) -> list[Event]:
    return [
        RoundStarted(round=number, best=number - 1),
        CandidateProposed(
            round=number, parent=1, prompt="Say it now.", modification=f"[b]Change[/x]\n{number} 猫."
        ),
        VoteCast(round=number, index=0, choice="win"),
        VoteCast(round=number, index=1, choice="loss"),
        RoundFinished(
            round=number,
            outcome="win",
            best=number,
            wins=1,
            losses=1,
            seconds=75.0,
            prompt_tokens=1200,
            completion_tokens=300,
            cost_usd=cost,
            win_rate=0.5,
            win_interval=(0.1, 0.9),
        ),
    ]


SEED: list[Event] = [
    OPENED,
    RoundStarted(round=1),
    RoundFinished(round=1, outcome="seed", best=1, seconds=3.0, prompt_tokens=10, cost_usd=0.5),
]


async def show(app: AloneApp[HistoryPanel], pilot: Pilot[None], picture: Picture) -> TableView:
    app.widget.show(picture)
    await pilot.pause()
    table = app.widget.query_one(TableView)
    table.focus()
    return table


def row(app: AloneApp[HistoryPanel], number: int) -> list[str]:
    """The cells of a row."""
    return seen(app).splitlines()[1 + number].split("  ")


def listening(journey: object, size: tuple[int, int] = WIDE) -> None:
    alone(HistoryPanel, journey, size, Listening)  # type: ignore[arg-type]


def test_a_row_tells_all_of_a_round_where_there_is_room() -> None:
    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        await show(app, pilot, painted(*SEED, *a_win(2)))
        await until_seen(pilot, "win rate", "modification")
        cells = [cell.strip() for cell in row(app, 2) if cell.strip()]
        assert cells == [
            *("2*", "win", "1:1", "50% (10% to 90%)", "+3 -1", "1.5k", "$0.2500", "1:15"),
            "[b]Change[/x] 2 猫.",
        ]
        assert [cell.strip() for cell in row(app, 1) if cell.strip()] == [
            "1",
            "seed",
            "10",
            "$0.5000",
            "3.0 s",
        ]

    listening(journey)


def test_a_narrow_one_keeps_what_matters_most() -> None:
    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        await show(app, pilot, painted(*SEED, *a_win(2)))
        await until_seen(pilot, "verdict", "2*", "win", "1:1")
        for left_out in ("USD", "tokens", "win rate  ", "modification"):
            assert left_out not in seen(app).splitlines()[1]

    listening(journey, NARROW)


def test_a_round_under_way_counts_its_votes_and_an_unknown_price_is_said() -> None:
    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        picture = painted(*SEED, *a_win(2)[:3])
        await show(app, pilot, picture)
        await until_seen(pilot, "…", "1:0")
        for event in a_win(2, cost=None)[3:]:
            picture.apply(event)
        app.widget.show(picture)
        await until_seen(pilot, "$ unknown", "1:1")

    listening(journey)


def test_columns_with_nothing_in_them_are_left_out() -> None:
    unpriced = RoundFinished(round=1, outcome="seed", best=1, seconds=3.0)
    picture = painted(OPENED, RoundStarted(round=1), unpriced)

    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        await show(app, pilot, picture)
        await until_seen(pilot, "verdict", "time", "3.0 s")
        for empty in ("votes", "win rate  ", "words", "tokens", "USD", "$ unknown", "modification"):
            assert empty not in seen(app).splitlines()[1]
        for event in a_win(2):
            picture.apply(event)
        app.widget.show(picture)
        await until_seen(pilot, "votes", "words", "tokens", "USD", "$0.2500", "modification")
        assert app.heard[-1] == ("Selected", 2)

    listening(journey)


def test_the_cursor_follows_the_newest_round_until_it_is_moved() -> None:
    picture = painted(*SEED)

    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        table = await show(app, pilot, picture)
        for number in (2, 3):
            for event in a_win(number):
                picture.apply(event)
            app.widget.show(picture)
        await until(pilot, lambda: app.heard[-1:] == [("Selected", 3)])
        await pilot.press("up")
        await until(pilot, lambda: app.heard[-1] == ("Selected", 2))
        for event in a_win(4):
            picture.apply(event)
        app.widget.show(picture)
        await pilot.pause()
        assert table.current == "2"
        app.widget.select(4)
        await until(pilot, lambda: app.heard[-1] == ("Selected", 4))
        for event in a_win(5):
            picture.apply(event)
        app.widget.show(picture)
        await until(pilot, lambda: app.heard[-1] == ("Selected", 5))

    listening(journey)


def test_a_verdict_of_a_person_changes_the_row_and_the_best() -> None:
    picture = painted(*SEED, *a_win(2))

    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        await show(app, pilot, picture)
        await until_seen(pilot, "2*")
        picture.apply(VerdictOverridden(round=2, outcome="loss", before_round=3))
        picture.apply(RoundStarted(round=3, best=1))
        app.widget.show(picture)
        await until_seen(pilot, "1*", "loss")
        assert "2*" not in seen(app)

    listening(journey)


def test_enter_opens_a_round_and_m_marks_one() -> None:
    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        await show(app, pilot, painted(*SEED, *a_win(2)))
        await pilot.press("home", "enter", "m")
        await until(pilot, lambda: app.heard[-2:] == [("RoundOpened", 1), ("Marked", 1)])

    listening(journey)


def test_another_run_takes_the_place_of_the_first() -> None:
    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        table = await show(app, pilot, painted(*SEED, *a_win(2), *a_win(3)))
        await until_seen(pilot, "3*")
        app.widget.show(painted(*SEED))
        await until(pilot, lambda: table.keys == ["1"])
        assert "3*" not in seen(app)

    listening(journey)


def test_curves_tell_what_was_won_and_spent() -> None:
    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        await show(app, pilot, painted(*SEED, *a_win(2), *a_win(3)))
        await until_seen(pilot, "win rate  ▅▅  USD █▅▅")
        await pilot.resize_terminal(12, 12)
        await pilot.pause()

    listening(journey)


def test_without_a_price_the_curve_is_of_tokens() -> None:
    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        free = [event for event in a_win(2, cost=None) if not isinstance(event, RoundStarted)]
        await show(app, pilot, painted(OPENED, RoundStarted(round=2, best=1), *free))
        await until_seen(pilot, "tokens █")

    listening(journey)


def test_before_the_first_round_it_says_what_will_come() -> None:
    async def journey(app: Listening, pilot: Pilot[None]) -> None:
        await show(app, pilot, Picture())
        await until_seen(pilot, "Rounds appear here")
        await pilot.press("m", "enter")
        assert app.heard == []

    listening(journey)
