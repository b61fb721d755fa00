"""Lines to write into journals, one by one and any at all."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import msgspec
from hypothesis import strategies as st

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.messages import Message
from spotui.domain.records import (
    AnswerRecord,
    AnyLine,
    CallKey,
    CallLine,
    DroppedLine,
    EditLine,
    HeldOutLine,
    LimitsLine,
    OverrideLine,
    RoundLine,
    SessionLine,
    StopLine,
    VoteLine,
    VoteRecord,
)
from spotui.domain.verdicts import Outcome

RUN = "0123456789abcdef0123456789abcdef"
AT = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)


def a_call(text: str = "A reply.", *, round: int = 1, index: int = 0, digest: str = "d") -> CallLine:  # noqa: A002
    """A finished call whose model answered `text`."""
    request = Request(model="m", messages=(Message("user", "A question?"),))
    reply = Reply(text=text, finish_reason="stop", usage=Usage(1, 2), seconds=0.5)
    return CallLine(
        at=AT,
        key=CallKey(round, "execute", index),
        digest=digest,
        request=msgspec.Raw(msgspec.json.encode(request)),
        reply=msgspec.Raw(msgspec.json.encode(reply)),
    )


def text_of(call: CallLine | None) -> str:
    """What the model answered."""
    assert call is not None
    return msgspec.json.decode(call.reply, type=Reply).text


def a_round(
    number: int,
    outcome: Outcome = "win",
    prompt: str | None = None,
    *,
    answers: tuple[AnswerRecord, ...] = (AnswerRecord("Q?", "A."),),
    cost: float | None = 0.25,
) -> RoundLine:
    """A round that ended; its prompt says its number unless another is given."""
    return RoundLine(
        at=AT,
        round=number,
        outcome=outcome,
        prompt=f"Prompt {number}." if prompt is None else prompt,
        answers=answers,
        tokens=11,
        cost_usd=cost,
    )


def a_verdict(number: int, outcome: Literal["win", "loss"]) -> OverrideLine:
    """A person's verdict over a round."""
    return OverrideLine(at=AT, round=number, outcome=outcome, before_round=number + 1)


_numbers = st.integers(0, 2**53)
_floats = st.floats(allow_nan=False, allow_infinity=False)
_texts = st.text(max_size=40)


def _raw(values: st.SearchStrategy[Any]) -> st.SearchStrategy[msgspec.Raw]:
    return values.map(lambda value: msgspec.Raw(msgspec.json.encode(value)))


_keys = st.builds(CallKey, _numbers, _texts, _numbers, _numbers)
_requests = _raw(st.builds(Request, model=_texts, messages=st.just(())))
_replies = _raw(st.builds(Reply, _texts, st.just("stop"), st.builds(Usage, _numbers, _numbers), _floats))
_outcomes = st.sampled_from(["seed", "win", "loss", "tie", "undecided", "void"])
_answers = st.lists(st.builds(AnswerRecord, _texts, _texts), max_size=2).map(tuple)
_votes = st.lists(
    st.builds(VoteRecord, st.sampled_from(["win", "loss", "tie", "void"]), _texts, _texts, _texts), max_size=2
).map(tuple)
_moments = st.datetimes(
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the offset
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
)

any_line: st.SearchStrategy[AnyLine] = st.one_of(
    st.builds(SessionLine, at=_moments, pid=_numbers, host=_texts, spotui=_texts),
    st.builds(CallLine, at=_moments, key=_keys, digest=_texts, request=_requests, reply=_replies),
    st.builds(
        DroppedLine,
        at=_moments,
        key=_keys,
        model=_texts,
        why=_texts,
        prompt_tokens=_numbers,
        completion_tokens=_numbers,
        cost_usd=st.none() | _floats,
    ),
    st.builds(
        RoundLine,
        at=_moments,
        round=_numbers,
        outcome=_outcomes,
        prompt=_texts,
        reasoning=_texts,
        answers=_answers,
        votes=_votes,
        seconds=_floats,
        cost_usd=st.none() | _floats,
        edited=st.booleans(),
    ),
    st.builds(VoteLine, at=_moments, round=_numbers, choice=st.sampled_from(["win", "loss", "tie"])),
    st.builds(EditLine, at=_moments, round=_numbers, prompt=_texts),
    st.builds(
        OverrideLine,
        at=_moments,
        round=_numbers,
        outcome=st.sampled_from(["win", "loss"]),
        before_round=_numbers,
    ),
    st.builds(
        LimitsLine,
        at=_moments,
        changes=st.dictionaries(
            st.sampled_from(["tokens", "calls", "patience"]), st.none() | st.integers(1, 10_000), max_size=3
        ),
    ),
    st.builds(HeldOutLine, at=_moments, best=_numbers, outcome=_outcomes, questions=_numbers, votes=_votes),
    st.builds(StopLine, at=_moments, reason=st.sampled_from(["finished", "budget", "failed"]), cause=_texts),
)
