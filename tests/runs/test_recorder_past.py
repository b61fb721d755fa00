"""What a journal says of earlier sessions."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from spotui.domain.records import (
    CallKey,
    CallLine,
    DroppedLine,
    EditLine,
    LimitsLine,
    Line,
    OverrideLine,
    RoundLine,
    SentLine,
    SessionLine,
    StopLine,
    VoteLine,
)
from spotui.runs.recorder import Earlier, change_limits
from spotui.settings.table import BudgetSettings, RoleSet, RoleSettings, RunSettings

START = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
ROLE = RoleSettings(model="test-model", temperature=0.0, max_tokens=None, timeout=10.0)
SETTINGS = RunSettings(roles=RoleSet(optimizer=ROLE, evaluator=ROLE, executor=ROLE))


def past(*lines: tuple[float, Line]) -> Earlier:
    """What lines say that were written so many seconds after the start."""

    def dated() -> Iterable[Line]:
        for seconds, line in lines:
            yield msgspec.structs.replace(line, at=START + timedelta(seconds=seconds))

    return Earlier(dated())  # type: ignore[arg-type]


def call(prompt: int, completion: int, cost: float | None) -> CallLine:
    reply = {
        "text": "x",
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion},
        "cost_usd": cost,
    }
    return CallLine(
        key=CallKey(1, "execute"),
        digest="d",
        request=msgspec.Raw(b"{}"),
        reply=msgspec.Raw(msgspec.json.encode(reply)),
    )


SESSION = SessionLine(pid=1, host="here", spotui="1")


def test_everything_that_was_paid_for_counts_dropped_calls_too() -> None:
    dropped = DroppedLine(
        key=CallKey(2, "vote"), model="m", why="late", prompt_tokens=5, completion_tokens=1, cost_usd=0.25
    )
    found = past((0, SESSION), (1, call(10, 2, 0.5)), (2, call(20, 4, None)), (3, dropped))
    spent = found.spending
    assert (spent.prompt_tokens, spent.completion_tokens, spent.cost_usd) == (35, 7, 0.75)
    assert (spent.calls, spent.unpriced, found.calls) == (3, 1, 2)


def sent(index: int = 0, *, worked: float = 0.0) -> SentLine:
    key = CallKey(1, "execute", index)
    return SentLine(key=key, model="m", prompt_tokens=100, completion_tokens=20, cost_usd=0.5, worked=worked)


def test_what_was_in_flight_when_a_process_died_counts() -> None:
    found = past((0, SESSION), (1, sent(0)), (2, sent(1)), (3, call(10, 2, 0.25)))
    spent = found.spending
    assert (spent.calls, spent.prompt_tokens, spent.completion_tokens, spent.cost_usd) == (2, 110, 22, 0.75)
    assert found.calls == 1
    again = past((0, SESSION), (1, sent(1)), (2, SESSION), (3, sent(1)), (4, SESSION), (5, sent(1)))
    assert again.spending.calls == 3


def test_what_ended_before_the_process_did_does_not_count_twice() -> None:
    dropped = DroppedLine(
        key=CallKey(1, "execute", 1), model="m", why="late", prompt_tokens=5, completion_tokens=1
    )
    stop = StopLine(reason="failed")
    assert past((0, SESSION), (1, sent(0)), (2, call(10, 2, 0.25))).spending.calls == 1
    assert past((0, SESSION), (1, sent(1)), (2, dropped)).spending.calls == 1
    # A try that is followed by another one, or by the end of the run, was refused and cost nothing.
    assert past((0, SESSION), (1, sent(0)), (2, sent(0)), (3, call(10, 2, 0.25))).spending.calls == 1
    assert past((0, SESSION), (1, sent(0)), (2, stop)).spending.calls == 0


@pytest.mark.parametrize("jump", [-86_400.0, -1.0, 86_400.0])
def test_a_clock_that_is_set_changes_no_time_that_was_measured(jump: float) -> None:
    lines = [(0, SESSION), (10, sent(0, worked=10)), (20 + jump, sent(1, worked=20))]
    assert past(*lines).seconds == 20
    resumed = [*lines, (30 + jump, SESSION), (35, sent(0, worked=25.0)), (35, SESSION)]
    assert past(*resumed).seconds == 25


def test_a_clock_that_is_set_back_gives_no_time_back_where_none_was_measured() -> None:
    found = past((0, SESSION), (30, call(1, 1, None)), (-900, call(1, 1, None)), (-890, call(1, 1, None)))
    assert found.seconds == pytest.approx(40)


def test_time_between_sessions_does_not_count() -> None:
    found = past((0, SESSION), (30, call(1, 1, None)), (9_000, SESSION), (9_012, call(1, 1, None)))
    assert found.seconds == pytest.approx(42)


def test_a_session_that_ended_knows_its_own_time_without_pauses() -> None:
    stop = StopLine(reason="stopped", seconds=10.0)
    assert past((0, SESSION), (600, stop)).seconds == 10.0
    assert past((0, SESSION), (600, stop), (700, SESSION), (705, call(1, 1, None))).seconds == pytest.approx(
        15
    )


def test_how_the_last_session_ended_holds_until_another_begins() -> None:
    stop = StopLine(reason="budget", best=2)
    found = past((0, SESSION), (1, stop)).stop
    assert found is not None
    assert found.reason == "budget"
    assert past((0, SESSION), (1, stop), (2, SESSION)).stop is None


def test_the_last_value_of_each_limit_counts() -> None:
    found = past(
        (0, LimitsLine(changes={"rounds": 5, "calls": 7})),
        (1, LimitsLine(changes={"calls": None, "usd": 2.0})),
    )
    settings = found.limits(msgspec.structs.replace(SETTINGS, budget=BudgetSettings(calls=1, tokens=3)))
    assert settings.max_rounds == 5
    assert settings.budget == BudgetSettings(calls=None, tokens=3, usd=2.0)


def test_a_round_that_was_recorded_again_counts_as_it_was_last() -> None:
    found = past((0, RoundLine(round=2, outcome="loss")), (1, RoundLine(round=2, outcome="win")))
    assert found.rounds[2].outcome == "win"


def test_decisions_of_people_keep_their_order() -> None:
    lines = [
        VoteLine(round=2, choice="win"),
        EditLine(round=3, prompt="x"),
        OverrideLine(round=2, outcome="loss", before_round=4),
    ]
    kinds = [type(line) for line in past(*enumerate(lines)).decisions]
    assert kinds == [VoteLine, EditLine, OverrideLine]


def test_limits_that_are_not_named_stay() -> None:
    changed = change_limits(SETTINGS, {"concurrency": 3})
    assert changed == msgspec.structs.replace(SETTINGS, concurrency=3)
