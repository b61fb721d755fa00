"""When calls fail: they are tried again, then the run waits or ends; no failure is kept as an answer."""

import asyncio
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from spotui.domain.events import CallDropped, CallFinished, CallRetried, CallStarted, Noticed
from spotui.domain.records import CallLine, DroppedLine
from spotui.llm.limits import Halted
from spotui.llm.protocol import RequestRefusedError
from spotui.llm.routing import Limits
from spotui.settings.table import BudgetSettings, RetrySettings
from tests.llm.opening import PRICE, a_key, a_request, an_open_door, run
from tests.model_server import JsonObject, ModelServer, Scripted, faults

FAULTS: dict[str, tuple[faults.Fault, str]] = {
    "unknown model": (faults.status(404, "no such model"), "knows no such model or address"),
    "wrong key": (faults.status(401), "asks for a key, and none is set"),
    "bad request": (faults.status(400), "refuses the request"),
    "rate limit": (faults.status(429), "asks to slow down"),
    "rate limit with a wait": (faults.status(429, headers={"Retry-After": "60"}), "asks to slow down"),
    "server error": (faults.status(500), "failed to answer"),
    "overloaded": (faults.status(503, headers={"Retry-After": "60"}), "failed to answer"),
    "reset": (faults.reset(), "the connection was reset"),
    "reset on the way": (faults.reset(frames=3), "in the middle of its reply|the connection was reset"),
    "hung up": (faults.truncated(frames=0), "closed the connection without an answer"),
    "truncated": (faults.truncated(frames=3), "broke off in the middle of its reply"),
    "no end": (faults.events(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'), "broke off"),
    "web page": (faults.html(), "answered with a web page"),
    "no JSON": (faults.raw(200, b"OK"), "something other than a chat completion"),
    "nothing": (faults.raw(200, b""), "answered with nothing"),
    "no answer in it": (faults.raw(200, b'{"choices": []}'), "without an answer in it"),
    "error in the stream": (faults.stream_error("overloaded"), "failed to answer"),
    "silence": (faults.hang(), "sent nothing for"),
    "silence on the way": (faults.hang(frames=3), "sent nothing for"),
}


@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS)
def test_no_fault_is_taken_for_an_answer(tmp_path: Path, fault: faults.Fault, words: str) -> None:
    silence = 0.15 if "sent nothing" in words else 10.0

    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, silence=silence) as opened:
            with pytest.raises(Halted, match=words) as caught:
                await opened.door.ask(a_key(), a_request())
            assert caught.value.reason == "failed"
            assert not any(isinstance(line, CallLine) for line in opened.lines())
            assert not opened.told(CallFinished)
            assert opened.gate.in_flight == 0
            # What was heard of it may have to be paid for; what was refused costs nothing.
            assert opened.spending.calls == len([o for o in opened.lines() if isinstance(o, DroppedLine)])

    with ModelServer(lambda _: "a reply of some length", faults=lambda *_: fault) as server:
        run(main(server.base_url))
        assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [faults.reset(frames=3), faults.truncated(frames=3), faults.hang(frames=3)])
def test_a_reply_that_breaks_off_is_counted_as_dropped_and_bought_again(
    tmp_path: Path, fault: faults.Fault
) -> None:
    async def main(base_url: str) -> None:
        retry = RetrySettings(tries=2)
        async with an_open_door(base_url, tmp_path, retry=retry, silence=0.5) as opened:
            assert (await opened.door.ask(a_key(), a_request())).text == "x" * 400
            dropped, kept = opened.lines()
            assert isinstance(dropped, DroppedLine)
            assert dropped.why.startswith("it broke off: ")
            assert "test-model at http://127.0.0.1" in dropped.why
            assert 0 < dropped.completion_tokens < 100
            assert dropped.cost_usd == PRICE.cost(dropped.prompt_tokens, dropped.completion_tokens)
            assert isinstance(kept, CallLine)
            assert opened.spending.calls == 2

    with ModelServer(lambda _: "x" * 400, faults={1: fault}) as server:
        run(main(server.base_url))


def test_a_retry_waits_as_long_as_the_endpoint_asks_and_is_told(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, retry=RetrySettings()) as opened:
            await opened.door.ask(a_key(), a_request())
            first, second = opened.told(CallRetried)
            assert (first.kind, first.tries, first.wait) == ("RateLimited", 1, 0.3)
            assert (second.kind, second.tries) == ("Unavailable", 2)
            assert "HTTP 429" in first.error
            assert len(opened.told(CallStarted)) == 3
            assert opened.spending.calls == 1

    plan = {1: faults.status(429, headers={"Retry-After": "0.3"}), 2: faults.status(500)}
    with ModelServer(faults=plan) as server:
        run(main(server.base_url))
        one, two, three = server.requests
        assert one.json == two.json == three.json
        assert one.ended_at is not None
        assert two.received_at - one.ended_at >= 0.29


def test_a_call_that_fails_for_good_waits_for_a_person_who_fixes_it(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, on_trouble="pause") as opened:
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await opened.until(lambda: opened.gate.state == "paused")
            [(state, cause)] = opened.states
            assert state == "paused"
            assert "does not accept" in cause or "asks for a key" in cause
            opened.gate.resume()
            assert (await call).text

    with ModelServer(faults={1: faults.status(401)}) as server:
        run(main(server.base_url))
        assert len(server.requests) == 2


def test_one_trouble_holds_every_call_and_going_on_brings_all_home(tmp_path: Path) -> None:
    is_down = True

    async def main(base_url: str) -> None:
        nonlocal is_down
        async with an_open_door(base_url, tmp_path, on_trouble="pause") as opened:
            calls = [asyncio.create_task(opened.door.ask(a_key(n), a_request())) for n in range(12)]
            await opened.until(lambda: opened.gate.state == "paused" and opened.gate.in_flight == 0)
            assert all(event.failed and "401" in event.why for event in opened.told(CallDropped))
            is_down = False
            opened.gate.resume()
            assert len(await asyncio.gather(*calls)) == 12
            assert len(opened.lines()) == 12

    with ModelServer(faults=lambda *_: faults.status(401) if is_down else None) as server:
        run(main(server.base_url))


def test_stopping_during_a_wait_ends_at_once(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, retry=RetrySettings(seconds=None)) as opened:
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await opened.until(lambda: bool(opened.told(CallRetried)))
            opened.gate.halt("stopped", "Stopped by the user.")
            async with asyncio.timeout(1):
                with pytest.raises(Halted, match="Stopped by the user"):
                    await call

    with ModelServer(faults={1: faults.status(429, headers={"Retry-After": "3600"})}) as server:
        run(main(server.base_url))
        assert len(server.requests) == 1


def test_a_try_that_failed_gives_its_room_back(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        retry, budget = RetrySettings(tries=3), BudgetSettings(calls=1)
        async with an_open_door(base_url, tmp_path, retry=retry, budget=budget) as opened:
            assert (await opened.door.ask(a_key(), a_request())).text

    fault = faults.status(503, headers={"Retry-After": "0.01"})
    with ModelServer(faults={1: fault, 2: fault}) as server:
        run(main(server.base_url))
        assert len(server.requests) == 3


def test_the_end_of_the_budget_ends_the_run_and_keeps_what_was_bought(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        budget = BudgetSettings(calls=3)
        # A spent budget is no trouble that a person could fix by resuming.
        async with an_open_door(base_url, tmp_path, budget=budget, on_trouble="pause") as opened:
            calls = [opened.door.ask(a_key(n), a_request()) for n in range(6)]
            results = await asyncio.gather(*calls, return_exceptions=True)
            halts = [result for result in results if isinstance(result, Halted)]
            assert {halt.reason for halt in halts} == {"budget"}
            assert len(halts) == 3
            assert len(opened.lines()) == opened.spending.calls == 3

    with ModelServer() as server:
        run(main(server.base_url))
        assert len(server.requests) == 3


@pytest.mark.parametrize("budget", [BudgetSettings(tokens=20_000), BudgetSettings(usd=0.05)])
def test_a_budget_holds_while_calls_overlap(tmp_path: Path, budget: BudgetSettings) -> None:
    def use_all(request: JsonObject) -> Scripted:
        completion = request["max_tokens"]
        usage = {"prompt_tokens": 5, "completion_tokens": completion, "total_tokens": 5 + completion}
        return Scripted("said", usage=usage)

    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, budget=budget) as opened:
            calls = [opened.door.ask(a_key(n), a_request()) for n in range(20)]
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(result).__name__ for result in results} == {"Reply", "Halted"}
            spent = opened.spending
            assert budget.tokens is None or budget.tokens * 0.7 < spent.tokens <= budget.tokens
            assert budget.usd is None or budget.usd * 0.7 < spent.cost_usd <= budget.usd

    with ModelServer(use_all, delay=0.01) as server:
        run(main(server.base_url))


def test_a_reply_that_the_rest_of_the_budget_cut_is_not_kept(tmp_path: Path) -> None:
    def fill(request: JsonObject) -> Scripted:
        completion = request["max_tokens"]
        usage = {"prompt_tokens": 5, "completion_tokens": completion, "total_tokens": 5 + completion}
        return Scripted("half of an ans", finish_reason="length", usage=usage)

    async def main(base_url: str) -> None:
        budget = BudgetSettings(tokens=1000)
        async with an_open_door(base_url, tmp_path, budget=budget) as opened:
            with pytest.raises(Halted, match="1,000 tokens is spent") as caught:
                await opened.door.ask(a_key(), a_request())
            assert caught.value.reason == "budget"
            [line] = opened.lines()
            assert isinstance(line, DroppedLine)
            assert line.completion_tokens == server.requests[0].json["max_tokens"]
            assert opened.spending.tokens == line.prompt_tokens + line.completion_tokens
            assert len(opened.told(CallDropped)) == 1

    with ModelServer(fill) as server:
        run(main(server.base_url))
        assert len(server.requests) == 1


def test_a_limit_in_usd_sends_one_call_to_a_model_without_a_price(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        budget = BudgetSettings(usd=5.0)
        async with an_open_door(base_url, tmp_path, price=None, budget=budget) as opened:
            with pytest.raises(Halted, match=r"price of test-model is unknown.*models\.test-model\.price"):
                await asyncio.gather(*(opened.door.ask(a_key(n), a_request()) for n in range(5)))
            [line] = opened.lines()
            assert isinstance(line, CallLine)  # it was paid for, so it is kept

    with ModelServer() as server:
        run(main(server.base_url))
        assert len(server.requests) == 1


def test_a_limit_in_usd_is_kept_by_the_costs_that_the_endpoint_reports(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        budget = BudgetSettings(usd=0.35)
        async with an_open_door(base_url, tmp_path, price=None, budget=budget) as opened:
            with pytest.raises(Halted, match=r"budget of \$0\.35 is spent: \$0\.0500 left"):
                await asyncio.gather(*(opened.door.ask(a_key(n), a_request()) for n in range(5)))
            assert opened.spending.cost_usd == pytest.approx(0.3)

    with ModelServer(
        lambda _: Scripted("four", usage={"prompt_tokens": 9, "completion_tokens": 1, "cost": 0.1})
    ) as server:
        run(main(server.base_url))
        assert len(server.requests) == 3


def test_a_broken_call_costs_as_much_as_the_dearest_where_the_endpoint_reports_costs(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "cost": 0.1}

    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, price=None) as opened:
            await opened.door.ask(a_key(1), a_request())
            with pytest.raises(Halted):
                await opened.door.ask(a_key(2), a_request())
            assert opened.spending.cost_usd == pytest.approx(0.2)
            assert (opened.spending.unpriced, opened.spending.estimated) == (0, True)

    with ModelServer(
        lambda _: Scripted("four", usage=usage), faults={2: faults.truncated(frames=3)}
    ) as server:
        run(main(server.base_url))


def test_a_rate_makes_calls_wait_and_a_stop_lets_them_go(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        opening = partial(an_open_door, base_url, tmp_path, limits=Limits(requests_per_minute=2))
        async with opening() as opened:
            calls = [asyncio.create_task(opened.door.ask(a_key(n), a_request())) for n in range(4)]
            await opened.until(lambda: len(opened.told(CallFinished)) == 2)
            opened.gate.halt("stopped", "")
            async with asyncio.timeout(1):
                results = await asyncio.gather(*calls, return_exceptions=True)
            assert [isinstance(result, Halted) for result in results] == [False, False, True, True]

    with ModelServer() as server:
        run(main(server.base_url))
        assert len(server.requests) == 2


def test_an_endpoint_that_takes_two_calls_at_once_loses_none(tmp_path: Path) -> None:
    def plan(_: int, __: JsonObject) -> faults.Fault | None:
        answering = [one for one in server.requests if one.outcome == "open"]
        return refusal if len(answering) > 2 else None

    async def main(base_url: str) -> None:
        retry = RetrySettings(tries=2, seconds=20.0)
        async with an_open_door(base_url, tmp_path, retry=retry) as opened:
            calls = [opened.door.ask(a_key(number), a_request(f"{number}?")) for number in range(20)]
            assert len(await asyncio.gather(*calls)) == 20
            assert opened.spending.calls == len(opened.lines()) == 20
            told = [event.text for event in opened.told(Noticed)]
            assert told
            assert all("limits the rate: for now, it gets" in text for text in told)
            assert len(told) == len(set(told))

    words = "Your account has reached max concurrency: 2, please try again after 0.05 seconds"
    refusal = replace_delay(faults.status(429, words))
    with ModelServer(faults=plan, delay=0.05) as server:
        run(main(server.base_url))
        assert sum(one.status == 200 for one in server.requests) == 20


def replace_delay(fault: faults.Fault) -> faults.Fault:
    """The same, sent at once."""
    return lambda reply: replace(fault(reply), delay=0.0)


def test_a_limit_of_calls_a_second_holds_all_calls_for_the_time_it_names(tmp_path: Path) -> None:
    taken: list[float] = []

    def plan(_: int, __: JsonObject) -> faults.Fault | None:
        now = time.monotonic()
        taken[:] = [one for one in taken if now - one < 0.4]
        if len(taken) < 3:
            taken.append(now)
            return None
        left = f"{(0.4 - (now - taken[0])) * 1000 + 5:.0f}ms"
        headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": left}
        return faults.status(429, "Rate limit reached.", headers=headers)

    async def main(base_url: str) -> None:
        # A call that is refused again and again has no time left, but others are answered meanwhile.
        retry = RetrySettings(tries=1, seconds=1.2)
        async with an_open_door(base_url, tmp_path, retry=retry) as opened:
            calls = [opened.door.ask(a_key(number), a_request(f"{number}?")) for number in range(10)]
            assert len(await asyncio.gather(*calls)) == 10

    with ModelServer(faults=plan) as server:
        run(main(server.base_url))
        assert len(server.requests) < 30


def test_a_wait_that_ended_a_call_does_not_hold_it_when_a_person_goes_on(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, retry=RetrySettings(), on_trouble="pause") as opened:
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await opened.until(lambda: opened.gate.state == "paused")
            assert "It asks to wait 2 hours" in opened.states[0][1]
            opened.gate.resume()
            async with asyncio.timeout(5):
                assert (await call).text

    with ModelServer(faults={1: faults.status(429, "Please try again in 2h0m0s.")}) as server:
        run(main(server.base_url))


def test_an_unknown_refusal_is_the_request_s_own_once_the_model_answers_another(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            door = opened.door
            others = [asyncio.create_task(door.ask(a_key(number), a_request("fine"))) for number in (1, 2)]
            with pytest.raises(RequestRefusedError, match="not to our liking"):
                await door.ask(a_key(), a_request("odd"), may_be_refused=True)
            assert all(reply.text for reply in await asyncio.gather(*others))
            assert opened.spending.calls == len(opened.lines()) == 3
            with pytest.raises(RequestRefusedError):  # as the journal has it
                await door.ask(a_key(), a_request("odd"), may_be_refused=True)

    def plan(_: int, request: JsonObject) -> faults.Fault | None:
        fault = faults.status(400, "This one is not to our liking.")
        return replace_delay(fault) if "odd" in str(request) else None

    with ModelServer(faults=plan, delay=0.05) as server:
        run(main(server.base_url))
        assert len(server.requests) == 3


def test_an_unknown_refusal_of_all_requests_ends_the_run(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            calls = [opened.door.ask(a_key(one), a_request(), may_be_refused=True) for one in range(5)]
            ends = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(end) for end in ends} == {Halted}
            assert not opened.lines()

    with ModelServer(faults=lambda *_: faults.status(400, "No.")) as server:
        run(main(server.base_url))


def test_advice_about_a_refusal_is_the_asker_s(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            with pytest.raises(Halted, match=r"longer than .* takes .* Ask for less\."):
                await opened.door.ask(a_key(), a_request(), advice="Ask for less.")

    with ModelServer(faults=lambda *_: faults.status(400, code="context_length_exceeded")) as server:
        run(main(server.base_url))
