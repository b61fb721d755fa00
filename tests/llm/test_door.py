"""The one door: what was bought is never bought again, and what is bought is kept, counted and told."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from spotui.domain.calls import MOST_TOKENS, Reply, Usage
from spotui.domain.events import CallDelta, CallDropped, CallFinished, CallStarted, Noticed
from spotui.domain.records import CallLine, DroppedLine
from spotui.llm.limits import Halted
from spotui.llm.protocol import digest_of
from spotui.llm.routing import Limits, Price
from spotui.llm.spending import Spending, prompt_size
from spotui.runs.recorder import Earlier
from spotui.settings.table import BudgetSettings
from spotui.workspace.journal import Journal
from tests.llm import virtual_time
from tests.llm.opening import PRICE, a_key, a_request, an_open_door, run
from tests.llm.virtual_time import settled
from tests.model_server import ModelServer, Scripted, faults
from tests.model_server.scripted import JsonObject

USAGE = {"prompt_tokens": 1000, "completion_tokens": 250, "total_tokens": 1250}


def test_a_reply_is_kept_counted_priced_and_told(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            reply = await opened.door.ask(a_key(), a_request())
            assert reply.text == "four"
            assert reply.cost_usd == 0.002
            [line] = opened.lines()
            assert isinstance(line, CallLine)
            assert msgspec.json.decode(line.reply, type=Reply) == reply
            assert opened.spending == Spending(1, 1000, 250, 0.002)
            assert [type(event) for event in opened.events] == [CallStarted, CallFinished]
            [finished] = opened.told(CallFinished)
            assert (finished.key, finished.prompt_tokens, finished.cost_usd) == (
                a_key(),
                1000,
                reply.cost_usd,
            )
            assert not finished.recorded

    with ModelServer(lambda _: Scripted("four", usage=USAGE)) as server:
        run(main(server.base_url))


@pytest.mark.parametrize(
    ("usage", "cost_usd"),
    [
        (USAGE, 1000 * 2.0 + 250 * 8.0),
        (USAGE | {"prompt_tokens_details": {"cached_tokens": 600}}, 400 * 2.0 + 600 * 0.5 + 250 * 8.0),
        (USAGE | {"prompt_cache_hit_tokens": 600}, 400 * 2.0 + 600 * 0.5 + 250 * 8.0),
        (USAGE | {"cached_tokens": 600}, 400 * 2.0 + 600 * 0.5 + 250 * 8.0),
        (
            {"input_tokens": 300, "output_tokens": 250, "cache_read_input_tokens": 600}
            | {"cache_creation_input_tokens": 100},
            300 * 2.0 + 600 * 0.5 + 100 * 2.5 + 250 * 8.0,
        ),
        (
            USAGE | {"cache_read_input_tokens": 600, "cache_creation_input_tokens": 100},
            300 * 2.0 + 600 * 0.5 + 100 * 2.5 + 250 * 8.0,
        ),
    ],
)
def test_cached_tokens_have_their_price(tmp_path: Path, usage: JsonObject, cost_usd: float) -> None:
    async def main(base_url: str) -> None:
        price = Price(2.0, 8.0, cached=0.5, cache_write=2.5)
        async with an_open_door(base_url, tmp_path, price=price) as opened:
            reply = await opened.door.ask(a_key(), a_request())
            assert reply.cost_usd == pytest.approx(cost_usd / 1_000_000)

    with ModelServer(lambda _: Scripted("four", usage=usage)) as server:
        run(main(server.base_url))


@pytest.mark.parametrize("tokens", [10**400, -3, MOST_TOKENS + 1])
def test_a_count_that_cannot_be_is_estimated_when_the_journal_is_read(tmp_path: Path, tokens: int) -> None:
    async def main(base_url: str) -> None:
        request = a_request()
        reply = Reply("four", "stop", Usage(tokens, 1), 0.1, cost_usd=float("1e300"))
        with Journal(tmp_path / "journal.jsonl", run="test", writable=True) as journal:
            sent, came = (msgspec.Raw(msgspec.json.encode(one)) for one in (request, reply))
            journal.append(CallLine(key=a_key(), digest=digest_of(request), request=sent, reply=came))
        async with an_open_door(base_url, tmp_path) as opened:
            known = await opened.door.ask(a_key(), request)
            assert (known.text, known.usage, known.cost_usd) == ("four", Usage(5, 1, estimated=True), None)
            past = Earlier(opened.lines())
            assert past.spending == Spending(1, 5, 1, 0.0, unpriced=1, estimated=True)

    with ModelServer(lambda _: "never asked") as server:
        run(main(server.base_url))
        assert not server.requests


def test_what_is_in_the_journal_is_not_asked_again_and_costs_nothing(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            bought = await opened.door.ask(a_key(), a_request())
            assert await opened.door.ask(a_key(), a_request()) == bought
            assert [event.recorded for event in opened.told(CallFinished)] == [False, True]
            assert opened.spending.calls == 1
        # Another process, with nothing left to spend and the gate shut: a recorded call needs neither.
        async with an_open_door(base_url, tmp_path, budget=BudgetSettings(calls=0)) as opened:
            opened.gate.pause("")
            assert await opened.door.ask(a_key(), a_request()) == bought
            assert opened.door.recorded(a_key(), a_request()) == bought
            assert opened.spending == Spending()
            assert len(opened.lines()) == 1

    with ModelServer() as server:
        run(main(server.base_url))
        assert len(server.requests) == 1


def test_another_key_or_another_request_is_another_call(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            await opened.door.ask(a_key(), a_request())
            await opened.door.ask(a_key(1), a_request())
            await opened.door.ask(a_key(attempt=2), a_request())
            await opened.door.ask(a_key(), a_request("And three and three?"))
            await opened.door.ask(a_key(), a_request(temperature=0.5))

    with ModelServer() as server:
        run(main(server.base_url))
        assert len(server.requests) == 5


def test_an_unknown_price_is_unknown_and_never_nothing(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, price=None) as opened:
            assert (await opened.door.ask(a_key(), a_request())).cost_usd is None
            assert opened.told(CallFinished)[0].cost_usd is None
            assert opened.spending.unpriced == 1

    with ModelServer() as server:
        run(main(server.base_url))


def test_pieces_are_told_only_while_someone_watches(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            await opened.door.ask(a_key(0), a_request())
            assert not opened.told(CallDelta)
            opened.door.streams = True
            await opened.door.ask(a_key(1), a_request())
            pieces = opened.told(CallDelta)
            assert "".join(piece.text for piece in pieces) == "four and no more"
            assert "".join(piece.reasoning for piece in pieces) == "Hm."
            assert {piece.key for piece in pieces} == {a_key(1)}

    with ModelServer(lambda _: Scripted("four and no more", reasoning="Hm.")) as server:
        run(main(server.base_url))


def test_calls_at_once_are_limited_and_the_limit_can_change(tmp_path: Path) -> None:
    async def main(server: ModelServer) -> None:
        async with an_open_door(server.base_url, tmp_path, limits=Limits(concurrency=2)) as opened:
            await asyncio.gather(*(opened.door.ask(a_key(n), a_request()) for n in range(6)))
            assert server.peak_open == 2
            opened.door.connections.set_concurrency(5)
            await asyncio.gather(*(opened.door.ask(a_key(n), a_request()) for n in range(6, 16)))
            assert server.peak_open == 5

    with ModelServer(delay=0.03) as server:
        run(main(server))


def test_a_cancelled_call_hangs_up_and_is_counted_as_dropped(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            opened.door.streams = True
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await opened.until(lambda: bool(opened.told(CallDelta)))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            heard = len("".join(piece.text for piece in opened.told(CallDelta)))
            [line] = opened.lines()
            assert isinstance(line, DroppedLine)
            assert (line.key, line.model) == (a_key(), "test-model")
            assert line.why == "it was cancelled in flight"
            assert line.prompt_tokens == prompt_size(a_request())
            assert line.completion_tokens == heard // 4 > 0
            assert line.cost_usd == PRICE.cost(line.prompt_tokens, line.completion_tokens)
            counts = line.prompt_tokens, line.completion_tokens, line.cost_usd
            assert opened.spending == Spending(1, *counts, estimated=True)
            assert [event.key for event in opened.told(CallDropped)] == [a_key()]
            assert opened.gate.in_flight == 0
            assert opened.door.recorded(a_key(), a_request()) is None

    with ModelServer(lambda _: "x" * 400, faults={1: faults.hang(frames=4)}) as server:
        run(main(server.base_url))
        server.wait_until(lambda: server.requests[0].outcome == "client_gone")


def test_a_call_cancelled_before_it_was_sent_costs_nothing(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            opened.gate.pause("")
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await settled()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert opened.spending == Spending()
            assert not opened.lines()
            assert not opened.told(CallDropped)

    with ModelServer() as server:
        run(main(server.base_url))
        assert not server.requests


def test_nothing_is_sent_while_the_gate_is_shut(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            opened.gate.pause("a look at it")
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await settled()
            assert not opened.told(CallStarted)
            opened.gate.resume()
            await call

    with ModelServer() as server:
        run(main(server.base_url))


def test_a_halt_waits_for_what_is_in_flight_and_sends_nothing_more(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            calls = [asyncio.create_task(opened.door.ask(a_key(n), a_request())) for n in range(2)]
            await opened.until(lambda: len(opened.told(CallStarted)) == 2)
            opened.gate.halt("stopped", "Stopped by the user.")
            with pytest.raises(Halted, match="Stopped by the user"):
                await opened.door.ask(a_key(2), a_request())
            assert len(opened.lines()) == 2
            assert len(await asyncio.gather(*calls)) == 2

    with ModelServer(delay=0.1) as server:
        run(main(server.base_url))
        assert len(server.requests) == 2


def test_a_halt_drops_what_costs_nothing_once_what_is_paid_for_is_home(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, price=Price(input=0.0, output=0.0)) as opened:
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await opened.until(lambda: opened.gate.in_flight == 1)
            opened.gate.halt("stopped", "Stopped by the user.")
            with pytest.raises(Halted, match="Stopped by the user"):
                await call
            [dropped] = opened.told(CallDropped)
            assert dropped.why == "the run ends"
            assert not any(isinstance(line, CallLine) for line in opened.lines())
            assert opened.spending.cost_usd == 0

    with ModelServer(faults={1: faults.hang()}) as server:
        run(main(server.base_url))


def test_a_pause_stops_the_clock_of_the_budget(tmp_path: Path) -> None:
    async def main() -> None:
        async with an_open_door("http://127.0.0.1:9/v1", tmp_path) as opened:
            budget = opened.door.budget
            await asyncio.sleep(100)
            opened.gate.pause("")
            await asyncio.sleep(1000)
            assert budget.seconds == pytest.approx(100)
            opened.gate.resume()
            await asyncio.sleep(100)
            assert budget.seconds == pytest.approx(200)
            opened.gate.pause("")
            opened.gate.halt("stopped", "")
            await asyncio.sleep(100)
            assert budget.seconds == pytest.approx(300)

    virtual_time.run(main())


def test_a_parameter_that_is_left_out_is_told_once_a_session(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        request = a_request(temperature=0.7)
        async with an_open_door(base_url, tmp_path) as opened:
            for number in range(3):
                await opened.door.ask(a_key(number), request)
            assert [notice.text for notice in opened.told(Noticed)] == [
                "test-model does not take temperature: it is left out."
            ]
        async with an_open_door(base_url, tmp_path) as opened:
            await opened.door.ask(a_key(0), request)
            assert len(opened.told(Noticed)) == 1

    refusal = faults.when(
        lambda request: "temperature" in request,
        faults.status(400, "Unsupported parameter", param="temperature"),
    )
    with ModelServer(faults=refusal) as server:
        run(main(server.base_url))


def test_a_megabyte_comes_through_and_back_from_the_journal(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            reply = await opened.door.ask(a_key(), a_request())
            assert len(reply.text) == 2**20
            assert opened.door.recorded(a_key(), a_request()) == reply

    with ModelServer(faults={1: faults.megabyte()}) as server:
        run(main(server.base_url))


@pytest.mark.parametrize(
    "said", ["<|endoftext|> <|im_start|>", "grin \U0001f600", "a\x00b\r\n\u2028c", "[DONE]"]
)
def test_odd_texts_come_back_from_the_journal_as_they_were(tmp_path: Path, said: str) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            reply = await opened.door.ask(a_key(), a_request(said))
            assert reply.text == said
            assert opened.door.recorded(a_key(), a_request(said)) == reply

    with ModelServer(lambda _: said) as server:
        run(main(server.base_url))


def test_halves_of_characters_are_no_obstacle_to_keeping_a_reply(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            reply = await opened.door.ask(a_key(), a_request())
            assert reply.text == "grin \U0001f600 and half \ufffd end"
            assert opened.door.recorded(a_key(), a_request()) == reply

    with ModelServer(faults={1: faults.lone_surrogates()}) as server:
        run(main(server.base_url))
