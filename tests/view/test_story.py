"""The log of a run: what each event writes in it, and what it forgets."""

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.event_lines import EVENT_TYPES
from spotui.domain.events import (
    Answered,
    CallDelta,
    CallDropped,
    CallFinished,
    CallRetried,
    CallStarted,
    CandidateProposed,
    CandidateRefused,
    CommandRefused,
    Event,
    HeldOutFinished,
    JudgeMeasured,
    Likelihood,
    LimitsChanged,
    Noticed,
    RoundFinished,
    RoundStarted,
    RunStopped,
    SpendingChanged,
    StateChanged,
    VerdictOverridden,
    VoteCast,
)
from spotui.domain.records import CallKey
from spotui.view.log import TAIL_KEPT, Entry
from spotui.view.story import ENTRIES_KEPT, Story
from tests.any_struct import structs
from tests.view.test_picture import OPENED

ANY_EVENTS = st.lists(st.one_of([structs(kind) for kind in EVENT_TYPES.values()]), max_size=12)
ANSWER, VOTE = CallKey(1, "execute"), CallKey(2, "vote", 1)


def told(*events: Event) -> Story:
    story = Story()
    for event in events:
        story.apply(event)
    return story


def only(*events: Event) -> Entry:
    """The one entry that events write."""
    (entry,) = told(*events).entries
    return entry


def done(key: CallKey, *, recorded: bool = False, estimated: bool = False, end: str = "stop") -> CallFinished:
    return CallFinished(
        key=key,
        model="m",
        prompt_tokens=900,
        completion_tokens=300,
        seconds=2.0,
        recorded=recorded,
        estimated=estimated,
        finish_reason=end,
    )


@given(ANY_EVENTS)
def test_a_log_depends_on_its_events_alone_and_every_change_is_told(events: list[Event]) -> None:
    story = Story()
    for event in events:
        before = [repr(entry) for entry in story.entries]
        streamed = isinstance(event, CallDelta)
        story.apply(event)
        changed = story.take_changes()
        assert all(story.first <= position < story.end for position in changed)
        if not streamed:
            kept = {position for position in range(len(before)) if position not in changed}
            assert all(repr(story.entry(position)) == before[position] for position in kept)
        assert set(story.live) <= set(range(story.first, story.end))
    assert story.entries == told(*events).entries


def test_an_answer_fills_in_the_entry_that_its_call_began() -> None:
    begun = [OPENED, CallStarted(at=5.0, key=ANSWER, model="m")]
    asked = only(*begun)
    assert (asked.round, asked.kind, asked.title, asked.aside) == (1, "answer", "question 1", "How deep?")
    assert asked.began == 5.0
    assert list(told(*begun).live) == [0]
    answered = only(
        *begun, done(ANSWER), Answered(round=1, index=0, question="How deep?", answer="Eleven km.")
    )
    assert (answered.text, answered.aside, answered.facts) == ("Eleven km.", "How deep?", "1.2k tok, 2.0 s")
    assert (answered.began, answered.streamed) == (None, "")
    assert not list(told(*begun, done(ANSWER)).live)


def test_only_the_end_of_what_streams_in_is_kept() -> None:
    story = told(CallStarted(key=VOTE, model="m"))
    for piece in range(100):
        story.apply(CallDelta(key=VOTE, reasoning="hm, ", text=f"piece {piece} "))
    (entry,) = story.entries
    assert len(entry.streamed) == TAIL_KEPT
    assert entry.streamed.endswith("piece 99 hm, ")
    story.apply(CallStarted(key=VOTE, model="m"))
    assert entry.streamed == ""
    story.apply(CallDelta(key=ANSWER, text="of a call that nobody announced"))
    assert story.entries == [entry]


def test_figures_say_what_was_recorded_estimated_or_cut() -> None:
    assert only(done(VOTE, recorded=True)).facts == "1.2k tok, 2.0 s, recorded"
    assert only(done(VOTE, estimated=True, end="length")).facts == "~1.2k tok, 2.0 s, cut by length"


def test_a_retry_shows_its_error_until_the_reply_is_there() -> None:
    retried = CallRetried(at=7.0, key=ANSWER, error="Slow down.", kind="RateLimited", tries=1, wait=2.0)
    events = [CallStarted(at=5.0, key=ANSWER, model="m"), retried]
    waiting = only(*events)
    assert (waiting.text, waiting.tone, waiting.retry_at) == ("Slow down.", "error", 9.0)
    again = only(*events, CallStarted(at=9.0, key=ANSWER, model="m"))
    assert (again.retry_at, again.began) == (0.0, 9.0)
    ended = only(*events, done(ANSWER))
    assert (ended.text, ended.tone) == ("", "plain")


def test_a_call_that_failed_says_why_and_one_that_was_cancelled_is_no_error() -> None:
    begun = CallStarted(key=VOTE, model="m")
    failed = only(begun, CallDropped(key=VOTE, why="m refused the key.", failed=True))
    assert (failed.text, failed.tone, failed.facts) == ("m refused the key.", "error", "failed")
    cancelled = only(begun, CallDropped(key=VOTE, why="it was cancelled in flight"))
    assert (cancelled.text, cancelled.tone, cancelled.facts) == ("", "plain", "not needed any more")
    fixed = only(
        begun,
        CallDropped(key=VOTE, why="m refused the key.", failed=True),
        CallStarted(key=VOTE, model="m"),
        done(VOTE),
    )
    assert (fixed.text, fixed.tone) == ("", "plain")
    assert failed.began is cancelled.began is None


def test_a_round_reads_as_heading_candidate_votes_and_verdict() -> None:
    propose = CallKey(2, "propose")
    proposed = CandidateProposed(round=2, parent=1, prompt="p", modification="Be brief.", reasoning="Long.")
    story = told(
        RoundStarted(round=2, best=1),
        CallStarted(key=propose, model="m"),
        done(propose),
        proposed,
        CallStarted(key=VOTE, model="m"),
        VoteCast(round=2, index=1, choice="win", order="AB", reason="It is brief."),
        VoteCast(round=2, index=2, choice="tie", voter="human"),
        RoundFinished(
            round=2,
            outcome="win",
            best=2,
            wins=1,
            seconds=3.0,
            prompt_tokens=5,
            cost_usd=0.5,
            note="By a hair.",
        ),
    )
    assert [(one.kind, one.title, one.facts, one.tone) for one in story.entries] == [
        ("round", "Round 2", "from round 1", "heading"),
        ("proposal", "candidate", "1.2k tok, 2.0 s", "plain"),
        ("vote", "vote AB: win", "", "win"),
        ("vote", "your vote: tie", "", "tie"),
        ("verdict", "Win: the new best", "1:0, 5 tok, $0.5000, 3.0 s", "win"),
    ]
    assert [one.text for one in story.entries] == ["", "Be brief.", "It is brief.", "", "By a hair."]
    assert story.entries[1].aside == "Long."


def test_an_edited_candidate_takes_the_place_of_the_proposed_one() -> None:
    first = CandidateProposed(round=2, parent=1, prompt="p")
    mine = CandidateProposed(round=2, parent=1, prompt="q", modification="edited by hand", edited=True)
    assert only(first, mine).title == "candidate, edited by hand"


def test_verdicts_say_which_round_stays_the_best() -> None:
    def title(outcome: str) -> tuple[str, str]:
        event = RoundFinished(round=3, outcome=outcome, best=2)  # type: ignore[arg-type]
        return only(event).title, only(event).tone

    assert title("seed") == ("The seed is the best so far", "best")
    assert title("loss") == ("Loss: round 2 stays the best", "loss")
    assert title("tie") == ("Tie: round 2 stays the best", "tie")
    assert title("undecided") == ("Undecided: round 2 stays the best", "tie")
    assert title("void") == ("Void: round 2 stays the best", "void")


def test_what_goes_wrong_and_what_is_noticed_has_an_entry_of_its_own() -> None:
    def said(event: Event) -> tuple[str, str, str, str]:
        entry = only(event)
        return entry.kind, entry.title, entry.text, entry.tone

    refused = CandidateRefused(round=2, why="Its prompt tag is empty.")
    last = CandidateRefused(round=2, why="It is the same.", final=True)
    limits = LimitsChanged(changes={"rounds": 20, "usd": None})
    held_out = HeldOutFinished(best=2, outcome="win", questions=1, wins=1, losses=0, ties=2)
    stopped = RunStopped(reason="budget", cause="It is spent.", best=1, improved=False, rounds=1, prompt="p")
    again = "Its prompt tag is empty. It is asked for again."
    assert said(refused) == ("trouble", "candidate refused", again, "warning")
    without = "It is the same. The round continues without it."
    assert said(last) == ("trouble", "candidate refused", without, "void")
    assert said(StateChanged(state="paused", cause="No key.")) == ("trouble", "Paused", "No key.", "warning")
    assert said(StateChanged(state="running")) == ("notice", "Running again", "", "plain")
    assert said(limits) == ("notice", "Limits changed", "rounds 20, usd no limit", "plain")
    assert said(Noticed(text="Torn.", level="warning")) == ("notice", "Notice", "Torn.", "warning")
    assert said(CommandRefused(command="vote", why="Too late.")) == (
        "trouble",
        "Refused: vote",
        "Too late.",
        "warning",
    )
    assert said(VerdictOverridden(round=2, outcome="loss", before_round=4)) == (
        "verdict",
        "Your verdict on round 2: loss",
        "It counts from round 4 on.",
        "loss",
    )
    assert said(held_out) == (
        "verdict",
        "Best against seed on 1 held-out question: win",
        "1 vote for it, 0 against, 2 ties.",
        "best",
    )
    assert said(stopped) == ("verdict", "Stopped: budget", "It is spent.", "heading")
    assert said(Likelihood(round=2, index=0, value=-1.25))[1:3] == (
        "likelihood of answer 1",
        "The requirements change its log-probability by -1.250 a token.",
    )


def test_what_is_shown_elsewhere_writes_nothing() -> None:
    spending = SpendingChanged(calls=1, prompt_tokens=1, completion_tokens=1, cost_usd=0.0)
    measured = JudgeMeasured(round=2, votes=4)
    assert not told(OPENED, spending, measured, StateChanged(state="stopping")).entries


def test_nothing_is_under_way_once_the_run_or_its_process_has_ended() -> None:
    begun = CallStarted(at=5.0, key=VOTE, model="m")
    stopped = RunStopped(reason="failed", cause="", best=1, improved=False, rounds=1, prompt="p")
    killed = told(begun)
    killed.end_calls()
    for story in (told(begun, stopped), killed):
        assert not list(story.live)
        assert (story.entries[0].began, story.entries[0].facts) == (None, "not finished")
        assert 0 in story.take_changes()


def long_run(rounds: int, answers: int) -> Story:
    story = Story()
    for number in range(1, rounds + 1):
        story.apply(RoundStarted(round=number, best=1))
        for index in range(answers):
            story.apply(Answered(round=number, index=index, question="Q", answer=f"{number}/{index}"))
    return story


def test_in_a_long_run_the_oldest_rounds_give_way_whole() -> None:
    answers = 99
    rounds = ENTRIES_KEPT // (answers + 1) + 1
    story = long_run(rounds, answers)
    assert ENTRIES_KEPT // 2 - answers <= len(story.entries) <= ENTRIES_KEPT
    assert story.end == rounds * (answers + 1)
    assert story.entries[0].kind == "round"
    assert story.entry(story.end - 1).text == f"{rounds}/{answers - 1}"
    story.take_changes()
    story.apply(Answered(round=rounds, index=0, question="Q", answer="again"))
    assert [story.entry(position).text for position in story.take_changes()] == ["again"]
    assert story.end == rounds * (answers + 1)


def test_a_call_older_than_the_log_is_not_found_in_it_any_more() -> None:
    story = long_run(1, 0)
    story.apply(CallStarted(key=ANSWER, model="m"))
    for number in range(2, ENTRIES_KEPT + 2):
        story.apply(RoundStarted(round=number, best=1))
    assert story.first > 0
    assert not list(story.live)
    story.apply(CallDelta(key=ANSWER, text="late"))
    story.apply(done(ANSWER))
    assert story.entries[-1].facts == "1.2k tok, 2.0 s"
