"""One row that tells how a run stands, however little room there is."""

from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from spotui.domain.events import (
    CallStarted,
    Event,
    LimitsChanged,
    RoundFinished,
    RoundStarted,
    RunStopped,
    SpendingChanged,
    StateChanged,
)
from spotui.domain.records import CallKey
from spotui.tui.run.following import RunHeader
from tests.tui.alone import AloneApp, alone
from tests.tui.piloting import seen
from tests.view.test_picture import OPENED, painted

App = AloneApp[RunHeader]
SPENT = SpendingChanged(
    at=1000.0, calls=7, prompt_tokens=1200, completion_tokens=300, cost_usd=0.5, seconds=65.0
)
BEGUN: list[Event] = [
    OPENED,
    SPENT,
    RoundStarted(round=1),
    RoundFinished(round=1, outcome="seed", best=1, seconds=9.0),
    RoundStarted(round=2, best=1),
]


def header(
    *events: Event, said: str = "", project: str = "sea", is_attached: bool = True, width: int = 120
) -> str:
    """What it shows."""
    shown: list[str] = []

    async def journey(app: App, pilot: Pilot[None]) -> None:
        app.widget.show(project, painted(*BEGUN, *events), is_attached=is_attached)
        app.widget.say(said)
        await pilot.pause()
        shown.append(seen(app).splitlines()[0])

    alone(RunHeader, journey, (width, 3))
    return shown[0].strip()


def test_a_wide_one_tells_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotui.tui.run.following.time.time", lambda: 1060.0)
    ended = RoundFinished(round=2, outcome="win", best=2, seconds=9.0)
    calls = [CallStarted(key=CallKey(3, "execute", index), model="m") for index in (0, 1)]
    limits = LimitsChanged(changes={"usd": 2.0, "tokens": 9000, "minutes": 5.0, "calls": 50})
    text = header(ended, RoundStarted(round=3, best=2), *calls, limits, width=130)
    left, right = text.split("   ", 1)
    assert left == "sea  SPO  round 3 of 4  running"
    # A minute has gone by since the spending was told, and calls are under way.
    assert right.strip() == (
        "$0.5000 of $2.00  1.5k tok of 9.0k  2:05 of 5:00  ~18 s left  7 calls of 50  2 in flight"
    )


def test_time_stands_still_while_the_run_is_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotui.tui.run.following.time.time", lambda: 1060.0)
    call, paused = CallStarted(key=CallKey(3, "execute", 0), model="m"), StateChanged(state="paused")
    assert "2:05" in header(call)
    assert "1:05" in header(call, paused)
    assert "2:05" in header(call, paused, StateChanged(state="running"))


def test_a_narrow_one_leaves_out_what_matters_least() -> None:
    assert header(width=80).endswith("$0.5000  1.5k tok  1:05")
    assert header(width=44).endswith("running    $0.5000")
    assert header(width=34) == "sea  SPO  round 2 of 4  running"
    assert header(width=20) == "sea  SPO  round 2…"


def test_it_never_has_more_than_its_row_whatever_the_name() -> None:
    paused = painted(*BEGUN, StateChanged(state="paused", cause="猫猫 " * 30))

    async def journey(app: App, pilot: Pilot[None]) -> None:
        app.widget.show("猫が好きです" * 3, paused, is_attached=True)
        for width in range(3, 90, 7):
            await pilot.resize_terminal(width, 3)
            await pilot.pause()
            assert app.widget.render().cell_length <= max(0, width - 2)

    alone(RunHeader, journey)


def test_a_pause_tells_its_cause_before_the_figures() -> None:
    cause = "The key was refused by the endpoint.\nSet another one, then go on."
    text = header(StateChanged(state="paused", cause=cause), width=80)
    assert text.startswith("sea  SPO  round 2 of 4  paused: The key was refused")
    assert "$0.5000" in text
    whole = header(StateChanged(state="paused", cause=cause), width=160)
    assert "paused: The key was refused by the endpoint. Set another one, then go on." in whole


def stop(reason: Any) -> RunStopped:
    return RunStopped(reason=reason, cause="It ended.", best=1, improved=False, rounds=2, prompt="p")


@pytest.mark.parametrize(
    ("events", "is_attached", "state"),
    [
        ([], True, "running"),
        ([], False, "interrupted"),
        (
            [StateChanged(state="stopping", cause="Stopped by the user.")],
            True,
            "stopping: Stopped by the user.",
        ),
        ([stop("finished")], False, "finished"),
        ([stop("failed")], False, "failed"),
    ],
)
def test_it_says_how_the_run_stands(events: list[Event], is_attached: bool, state: str) -> None:
    assert f"round 2 of 4  {state}   " in header(*events, is_attached=is_attached, width=140)


def test_what_a_starting_process_says_stands_in_place_of_the_state() -> None:
    text = header(said="fetching the model:\n 40%", is_attached=False)
    assert text.startswith("fetching the model: 40%  ")
    assert "interrupted" not in text


def test_names_and_causes_are_no_markup() -> None:
    assert "[b]x[/y]" in header(project="[b]x[/y]")
    assert "paused: [/b]" in header(StateChanged(state="paused", cause="[/b]"))


def test_an_unknown_price_is_said() -> None:
    assert "$ unknown" in header(
        SpendingChanged(calls=2, prompt_tokens=1, completion_tokens=1, cost_usd=0, unpriced=2)
    )


def test_rows_and_metric_are_told_last() -> None:
    opened = replace(OPENED, method="gpo", rows={"train": 12, "eval": 1200, "test": 36}, metric="number")
    assert header(opened, width=120).endswith("12 train + 1,200 eval + 36 test rows, number")
    assert "rows" not in header(opened, width=60)
