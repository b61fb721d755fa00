"""A journal played back: what was said, when it was said, and nothing else."""

import asyncio

import msgspec
import pytest

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.messages import Message
from spotui.domain.records import CallKey, CallLine
from spotui.llm.limits import Halted
from spotui.llm.protocol import Delta, digest_of
from spotui.llm.providers.playback import RecordedProvider
from tests.llm import virtual_time


def a_request(text: str) -> Request:
    return Request("m", (Message("user", text),))


def a_call(asked: str, said: str, seconds: float = 2.0) -> CallLine:
    reply = Reply(said, "stop", Usage(3, 1), seconds, cost_usd=0.5)
    request = a_request(asked)
    return CallLine(
        key=CallKey(1, "execute"),
        digest=digest_of(request),
        request=msgspec.Raw(msgspec.json.encode(request)),
        reply=msgspec.Raw(msgspec.json.encode(reply)),
    )


def test_each_request_gets_its_reply_and_the_same_request_the_next_one() -> None:
    async def main() -> list[str]:
        provider = RecordedProvider([a_call("a", "1"), a_call("b", "2"), a_call("a", "3")], speed=0)
        return [(await provider.complete(a_request(text), lambda _: None)).text for text in "aab"]

    assert asyncio.run(main()) == ["1", "3", "2"]


@pytest.mark.parametrize(("speed", "seconds"), [(0.0, 0.0), (1.0, 2.0), (10.0, 0.2)])
def test_a_reply_is_streamed_over_the_time_it_took(speed: float, seconds: float) -> None:
    deltas: list[Delta] = []

    async def main() -> float:
        clock = asyncio.get_running_loop().time
        began = clock()
        reply = await RecordedProvider([a_call("a", "a reply of some words")], speed).complete(
            a_request("a"), deltas.append
        )
        assert reply == Reply("a reply of some words", "stop", Usage(3, 1), 2.0, cost_usd=0.5)
        return clock() - began

    assert virtual_time.run(main()) == pytest.approx(seconds)
    assert "".join(delta.text for delta in deltas) == ("a reply of some words" if speed else "")


def test_the_recording_ends_where_nobody_ever_answered() -> None:
    with pytest.raises(Halted, match="The recording ends here"):
        virtual_time.run(RecordedProvider([], speed=1).complete(a_request("a"), lambda _: None))


def test_a_call_that_was_cancelled_waits_for_the_others_to_cancel_it_again() -> None:
    async def main() -> str:
        provider = RecordedProvider([a_call("a", "1", seconds=5.0)], speed=1)
        unanswered = asyncio.create_task(provider.complete(a_request("b"), lambda _: None))
        reply = await provider.complete(a_request("a"), lambda _: None)
        assert not unanswered.done()
        unanswered.cancel()
        with pytest.raises(asyncio.CancelledError):
            await unanswered
        return reply.text

    assert virtual_time.run(main()) == "1"
