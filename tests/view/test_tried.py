"""An answer to a question of the moment, as its events paint it."""

import pytest

from spotui.domain.events import Answered, CallDelta, CallFinished, CallRetried, CallStarted, Event
from spotui.domain.records import CallKey
from spotui.view.tried import Tried

KEY = CallKey(2, "try")
STARTED = CallStarted(key=KEY, model="m", at=100.0)
END = CallFinished(key=KEY, model="m", prompt_tokens=1200, completion_tokens=34, seconds=2.0, cost_usd=0.0012)
ANSWER = Answered(round=2, index=0, question="Why?", answer="Because.")


def asked(*events: Event) -> Tried:
    tried = Tried()
    tried.ask(100.0)
    for event in (STARTED, *events):
        tried.apply(event)
    return tried


def test_an_answer_grows_and_ends_with_what_it_took() -> None:
    tried = asked(CallDelta(key=KEY, text="Be"))
    assert (tried.text, tried.say(103.4)) == ("Be", "answering, 3 s …")
    for event in (CallDelta(key=KEY, text="cause."), END, ANSWER):
        tried.apply(event)
    assert (tried.state, tried.text) == ("answered", "Because.")
    assert tried.say(200.0) == "1.2k tok in, 34 out  $0.0012  2.0 s"


def test_reasoning_is_told_and_not_shown() -> None:
    tried = asked(CallDelta(key=KEY, reasoning="Hmm."))
    assert (tried.text, tried.say(101.0)) == ("", "thinking, 1 s …")


def test_a_broken_try_takes_back_what_it_wrote_and_counts_down() -> None:
    retried = CallRetried(key=KEY, error="It broke off.", kind="Unavailable", tries=1, wait=5.0, at=110.0)
    tried = asked(CallDelta(key=KEY, text="Be"), retried)
    assert (tried.text, tried.say(112.0)) == ("", "It broke off. Asked again in 3.0 s.")
    tried.apply(CallStarted(key=KEY, model="m", at=115.0))
    assert tried.say(116.0) == "answering, 16 s …"


@pytest.mark.parametrize(("estimated", "reason", "says"), [(True, "stop", "~1"), (False, "length", "cut by")])
def test_what_is_not_exact_or_not_whole_says_so(estimated: bool, reason: str, says: str) -> None:
    end = CallFinished(
        key=KEY,
        model="m",
        prompt_tokens=1,
        completion_tokens=1,
        seconds=1.0,
        estimated=estimated,
        finish_reason=reason,
    )
    assert says in asked(end, ANSWER).say(200.0)


def test_an_answer_that_is_there_does_not_fail_any_more() -> None:
    tried = asked(END, ANSWER)
    tried.fail("The other one failed.")
    tried.stop()
    assert tried.state == "answered"


def test_asking_again_forgets_the_last_answer() -> None:
    tried = asked(END, ANSWER)
    tried.ask(300.0)
    assert (tried.text, tried.say(301.0)) == ("", "answering, 1 s …")
