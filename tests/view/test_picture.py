import copy
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from spotui.domain.event_lines import EVENT_TYPES
from spotui.domain.events import (
    Answered,
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
    CandidateProposed,
    CandidateScored,
    Event,
    LimitsChanged,
    Noticed,
    RoundFinished,
    RoundStarted,
    RunOpened,
    RunStopped,
    SpendingChanged,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.domain.records import CallKey
from spotui.domain.verdicts import Outcome
from spotui.view.picture import NOTICES_KEPT, TAIL_KEPT, Picture
from tests.any_struct import structs

ANY_EVENTS = st.lists(st.one_of([structs(kind) for kind in EVENT_TYPES.values()]), max_size=12)
KEY = CallKey(round=2, purpose="vote", index=1)
OPENED = RunOpened(
    version=1,
    project="sea",
    folder="/sea",
    run="5f3a",
    method="spo",
    models={},
    rounds=4,
    questions=("How deep?",),
    held_out=0,
    judge="balanced",
    prompt="Say.",
)


def painted(*events: Event) -> Picture:
    picture = Picture()
    for event in events:
        picture.apply(event)
    return picture


def finished(number: int, best: int, seconds: float = 3.0) -> Sequence[Event]:
    outcome: Outcome = "seed" if number == 1 else "win" if best == number else "loss"
    return (
        RoundStarted(round=number, best=best if number > 1 else 0),
        RoundFinished(round=number, outcome=outcome, best=best, seconds=seconds),
    )


@given(ANY_EVENTS)
def test_a_picture_depends_on_its_events_alone(events: list[Event]) -> None:
    before = copy.deepcopy(events)

    assert painted(*events) == painted(*events)
    assert events == before


@given(ANY_EVENTS, ANY_EVENTS)
def test_two_pictures_share_nothing(events: list[Event], others: list[Event]) -> None:
    one = painted(*events)
    painted(*others)

    assert one == painted(*events)


def test_only_the_end_of_a_reply_under_way_is_kept() -> None:
    picture = painted(CallStarted(key=KEY, model="m"))
    for number in range(1000):
        picture.apply(CallDelta(key=KEY, text=f"{number} "))
    assert len(picture.calls[KEY].tail) == TAIL_KEPT
    assert picture.calls[KEY].tail.endswith("998 999 ")


def test_calls_are_those_under_way() -> None:
    picture = painted(
        CallStarted(at=5.0, key=KEY, model="m"), CallDelta(key=KEY, text="héllo", reasoning="hm")
    )
    assert (picture.calls[KEY].since, picture.calls[KEY].characters) == (5.0, 7)
    assert picture.calls[KEY].tail == "héllo"

    picture.apply(CallRetried(at=7.0, key=KEY, error="Slow down.", kind="RateLimited", tries=1, wait=2.0))
    assert (picture.calls[KEY].trouble, picture.calls[KEY].retry_at) == ("Slow down.", 9.0)
    assert not picture.calls[KEY].tail

    picture.apply(CallStarted(at=9.0, key=KEY, model="m"))
    assert (picture.calls[KEY].trouble, picture.calls[KEY].characters) == ("", 0)

    done = CallFinished(key=KEY, model="m", prompt_tokens=1, completion_tokens=1, seconds=1.0)
    for end in (done, CallDropped(key=KEY, why="decided")):
        assert painted(CallStarted(key=KEY, model="m"), end).calls == {}


def test_a_call_from_the_journal_is_no_call_under_way() -> None:
    done = CallFinished(key=KEY, model="m", prompt_tokens=1, completion_tokens=1, seconds=1.0, recorded=True)

    assert painted(CallDelta(key=KEY, text="x"), done).calls == {}


def test_a_round_gathers_what_belongs_to_it() -> None:
    first = CandidateProposed(round=2, parent=1, prompt="first")
    edited = CandidateProposed(round=2, parent=1, prompt="mine", edited=True)
    answer = Answered(round=2, index=0, question="How deep?", answer="Deep.")
    votes = [VoteCast(round=2, index=0, choice="win"), VoteCast(round=2, index=0, choice="loss")]
    picture = painted(*finished(1, 1), RoundStarted(round=2, best=1), first, edited, answer, *votes)

    current = picture.current
    assert current is not None
    assert (current.number, current.best, current.candidate) == (2, 1, edited)
    assert current.answers == {0: answer}
    assert current.votes == votes
    assert current.end is None


def test_the_best_round_follows_verdicts_and_what_people_say_of_them() -> None:
    picture = painted(*finished(1, 1), *finished(2, 2))
    assert picture.best == 2

    picture.apply(VerdictOverridden(round=2, outcome="loss", before_round=3))
    assert picture.rounds[2].outcome == "loss"
    assert picture.best == 2  # it is in force from the next round on

    picture.apply(RoundStarted(round=3, best=1))
    assert picture.best == 1


def test_the_time_left_counts_the_rounds_that_have_not_ended() -> None:
    assert painted(OPENED, *finished(1, 1)).seconds_left is None

    picture = painted(OPENED, *finished(1, 1, seconds=100.0), *finished(2, 2, seconds=4.0))
    assert picture.seconds_left == 8.0  # rounds 3 and 4; the seed round is no measure

    picture.apply(RoundStarted(round=3, best=2))
    assert picture.seconds_left == 8.0

    picture.apply(LimitsChanged(changes={"rounds": 2}))
    assert picture.seconds_left == 0.0


def test_the_time_left_is_judged_by_calls_before_a_round_has_shown_it() -> None:
    def call(purpose: str, seconds: float, *, recorded: bool = False) -> CallFinished:
        key = CallKey(round=1, purpose=purpose)
        return CallFinished(
            key=key, model="m", prompt_tokens=9, completion_tokens=9, seconds=seconds, recorded=recorded
        )

    assert painted(OPENED, call("execute", 9.0, recorded=True)).seconds_left is None
    picture = painted(OPENED, RoundStarted(round=1), call("execute", 1.0), call("execute", 3.0))
    assert picture.seconds_left == 3 * (2.0 + 2.0 + 2.0)  # nothing else is known of the other calls
    picture.apply(call("propose", 10.0))
    picture.apply(call("vote", 1.0))
    assert picture.seconds_left == 3 * (10.0 + 2.0 + 1.0)
    scored = painted(replace(OPENED, rows={"val": 9}), call("execute", 1.0))
    assert scored.seconds_left is None  # its rounds are of many more calls


def test_the_end_ends_everything() -> None:
    stopped = RunStopped(reason="failed", cause="No key.", best=1, improved=False, rounds=1, prompt="Say.")
    picture = painted(
        OPENED, StateChanged(state="stopping"), CallStarted(key=KEY, model="m"), *finished(1, 1), stopped
    )

    assert (picture.state, picture.cause, picture.best) == ("ended", "No key.", 1)
    assert picture.stopped == stopped
    assert picture.calls == {}
    assert picture.seconds_left is None


def test_the_latest_notices_and_the_last_spending_are_kept() -> None:
    notices = [Noticed(text=str(number)) for number in range(NOTICES_KEPT + 5)]
    spending = [
        SpendingChanged(calls=calls, prompt_tokens=1, completion_tokens=1, cost_usd=0.0) for calls in (1, 2)
    ]
    picture = painted(*notices, *spending)

    assert list(picture.notices) == notices[5:]
    assert picture.spending == spending[1]


def test_of_several_candidates_the_one_that_was_kept_is_the_round_s() -> None:
    scored = [
        CandidateScored(
            round=2, index=0, prompt=prompt, split="eval", score=score, low=0, high=1, rows=2, marks=(1, 0)
        )
        for prompt, score in (("A", 0.5), ("B", 0.75), ("C", 0.75))
    ]
    proposed = [CandidateProposed(round=2, parent=1, prompt=prompt) for prompt in "ABC"]
    picture = painted(OPENED, RoundStarted(round=2, best=1), *proposed, *scored)
    assert picture.prompt_of(2) == "B"
    assert picture.is_scored

    picture.apply(RoundFinished(round=2, outcome="tie", best=1, score=0.5, prompt="Of round 1."))
    assert (picture.prompt_of(2), picture.parent_of(2)) == ("Of round 1.", 1)
