"""A call ends when it brings nothing for too long, takes too long in all, or the run ends meanwhile."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from spotui.domain.events import CallDelta, CallDropped
from spotui.domain.records import DroppedLine
from spotui.llm.connections import Connection
from spotui.llm.limits import Halted, Limiter
from spotui.llm.protocol import Delta, TimedOutError
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from spotui.llm.retry import BEGUN_SECONDS, EMPTY_SECONDS, CallClock, CutShortError
from spotui.llm.routing import Endpoint, Limits
from spotui.settings.table import BudgetSettings
from tests.llm import virtual_time
from tests.llm.opening import a_key, a_request, an_open_door, run
from tests.model_server import JsonObject, ModelServer, Scripted, conversation

WORD, THOUGHT, EMPTY = Delta(text="word "), Delta(reasoning="hm "), Delta()
ENDPOINT = Endpoint("test-model", timeout=10.0, first_token_timeout=60.0, call_timeout=200.0)


async def lasts(clock: CallClock, deltas: AsyncIterator[Delta]) -> tuple[float, Exception]:
    """How long a call that brings these pieces may take, and how it is ended."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with clock.running():
            async for delta in deltas:
                clock.progress(delta)
            await asyncio.sleep(100_000)
    except (TimedOutError, CutShortError) as error:
        return loop.time() - began, error
    raise AssertionError("it was never ended")


async def every(seconds: float, *deltas: Delta, after: float = 0.0) -> AsyncIterator[Delta]:
    await asyncio.sleep(after)
    for delta in deltas:
        yield delta
        await asyncio.sleep(seconds)


@pytest.mark.parametrize(
    ("pieces", "seconds", "words"),
    [
        (lambda: every(1), 60, "sent no token for 60 seconds"),
        (lambda: every(1, *[EMPTY] * 1000), 60, "sent no token for 60 seconds"),
        (lambda: every(1, WORD, after=50), 60, "sent no further token for 10 seconds"),
        (lambda: every(1, WORD, *[EMPTY] * 1000), 10, "sent no further token for 10 seconds"),
        (lambda: every(9, *[WORD] * 1000), 200, "did not finish its reply within 200 seconds"),
        (lambda: every(9, *[THOUGHT] * 1000), 200, "did not finish its reply within 200 seconds"),
    ],
)
def test_only_tokens_are_progress_and_a_call_ends_at_the_first_limit(
    pieces: Callable[[], AsyncIterator[Delta]], seconds: float, words: str
) -> None:
    async def main() -> tuple[float, Exception]:
        return await lasts(CallClock(ENDPOINT), pieces())

    took, error = virtual_time.run(main())
    assert took == pytest.approx(seconds, abs=0.5)
    assert words in str(error)


@pytest.mark.parametrize(
    ("is_free", "pieces", "seconds"),
    [
        (False, lambda: every(1), 5 + EMPTY_SECONDS),
        (False, lambda: every(1, *[EMPTY] * 1000), 5 + EMPTY_SECONDS),
        (False, lambda: every(1, *[WORD] * 1000), 5 + BEGUN_SECONDS),
        (False, lambda: every(1, *[WORD] * 1000, after=6), 5 + BEGUN_SECONDS),
        (True, lambda: every(1, *[WORD] * 1000), 5),
    ],
)
def test_a_stop_leaves_a_call_the_time_that_it_deserves(
    is_free: bool, pieces: Callable[[], AsyncIterator[Delta]], seconds: float
) -> None:
    async def main() -> tuple[float, Exception]:
        clock = CallClock(ENDPOINT, is_free=is_free)
        asyncio.get_running_loop().call_later(5, clock.stop, "the run ends")
        return await lasts(clock, pieces())

    took, error = virtual_time.run(main())
    assert took == pytest.approx(seconds, abs=0.01)
    assert isinstance(error, CutShortError)
    assert error.why == "the run ends"


def test_without_limits_of_their_own_the_first_token_has_the_timeout_and_a_call_no_end() -> None:
    async def main() -> tuple[float, float]:
        endpoint = Endpoint("test-model", timeout=10.0)
        first, _ = await lasts(CallClock(endpoint), every(1))
        trickling, _ = await lasts(CallClock(endpoint), every(9, *[WORD] * 1000))
        return first, trickling

    assert virtual_time.run(main()) == pytest.approx((10, 999 * 9 + 10), abs=0.5)


def events(*payloads: str) -> Callable[[], Scripted]:
    """A stream that never gets further."""
    pieces = tuple(f"{one}\n\n".encode() for one in payloads)
    headers = {"Content-Type": "text/event-stream"}
    return lambda: Scripted(body=tuple(itertools.islice(itertools.cycle(pieces), 400)), headers=headers)


def delta(fields: str) -> str:
    return f'data: {{"choices": [{{"index": 0, "delta": {fields}, "finish_reason": null}}]}}'


ENDLESS = {
    "comments": events(": PROCESSING"),
    "named heartbeats": events("event: ping\ndata: {}"),
    "heartbeats without choices": events('data: {"choices": []}'),
    "empty pieces": events(delta('{"content": ""}')),
    "null pieces": events(delta('{"content": null}')),
    "roles": events(delta('{"role": "assistant"}')),
    "bytes of one line": lambda: Scripted(
        body=(b"data: ", *[b"x"] * 400), headers={"Content-Type": "text/event-stream"}
    ),
    "blanks before a body": lambda: Scripted(
        body=(b" ",) * 400, headers={"Content-Type": "application/json"}
    ),
    "a body by the byte": lambda: Scripted(
        body=(b"{", *[b'"'] * 400), headers={"Content-Type": "application/json"}
    ),
    "nothing": lambda: Scripted(ending="hang"),
    "headers alone": lambda: Scripted("word", ending="hang", frames=1),
}
TRICKLING = {
    "text": events(delta('{"content": "on "}')),
    "reasoning": events(delta('{"reasoning_content": "hm "}')),
    "thoughts": events(delta('{"reasoning": "hm "}')),
}


def by_name(request: JsonObject) -> Scripted:
    return {**ENDLESS, **TRICKLING}[conversation(request)]()


def test_an_endpoint_that_is_busy_without_a_token_is_given_up() -> None:
    async def main(base_url: str) -> None:
        endpoint = Endpoint("test-model", base_url, timeout=0.3, call_timeout=1.0)
        connection = Connection(endpoint, OpenAICompatibleProvider(endpoint), Limiter(Limits()))
        names = [*ENDLESS, *TRICKLING]
        calls = (connection.complete(a_request(name), lambda _: None) for name in names)
        errors = dict(zip(names, await asyncio.gather(*calls, return_exceptions=True), strict=True))
        await connection.provider.aclose()
        assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(names, TimedOutError)
        assert all("within 1 seconds" in str(errors[name]) for name in TRICKLING)
        assert not any("within" in str(errors[name]) for name in ENDLESS)

    with ModelServer(by_name, pause=0.02) as server:
        run(main(server.base_url))
        server.wait_until(lambda: not server.connections)


def test_a_budget_of_minutes_and_a_stop_end_calls_that_would_never_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spotui.llm.retry.EMPTY_SECONDS", 0.05)
    monkeypatch.setattr("spotui.llm.retry.BEGUN_SECONDS", 0.3)

    async def main(base_url: str) -> None:
        budget, limits = BudgetSettings(minutes=0.01), Limits(concurrency=20)
        opening = an_open_door(base_url, tmp_path, budget=budget, limits=limits)
        async with opening as opened, opened.door.keeping_time():
            opened.door.streams = True
            calls = [
                opened.door.ask(a_key(number), a_request(name))
                for number, name in enumerate([*ENDLESS, *TRICKLING])
            ]
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(one, Halted) and one.reason == "budget" for one in results)
            assert len(opened.told(CallDropped)) == len(calls)
            assert opened.told(CallDelta)
            dropped = [line for line in opened.lines() if isinstance(line, DroppedLine)]
            assert {line.why for line in dropped} == {"the run ends"}
            assert opened.spending.calls == len(dropped) == len(calls)

    with ModelServer(by_name, pause=0.02) as server:
        run(main(server.base_url))


@pytest.mark.parametrize(
    "endless", ["never ending words " * 10_000, "x" * 200_000, " ".join(map(str, range(40_000)))]
)
@pytest.mark.parametrize("budget", [BudgetSettings(tokens=700), BudgetSettings(usd=0.003)])
def test_a_reply_that_outgrows_the_budget_is_cut(
    tmp_path: Path, budget: BudgetSettings, endless: str
) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, budget=budget) as opened:
            with pytest.raises(Halted, match="is spent") as caught:
                await opened.door.ask(a_key(), a_request("x"))
            assert caught.value.reason == "budget"
            [line] = [line for line in opened.lines() if isinstance(line, DroppedLine)]
            assert line.why == "it took more than the rest of the budget"
            assert line.completion_tokens > 500

    with ModelServer(lambda _: Scripted(endless, chunks=500), pause=0.001) as server:
        run(main(server.base_url))
