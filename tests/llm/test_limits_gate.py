"""Calls pass while it is open, wait while it is paused, and end once a halt has let the last one home."""

import asyncio

import pytest

from spotui.llm.limits import Gate, GateState, Halted
from spotui.llm.retry import CallClock
from spotui.llm.routing import Endpoint
from tests.llm import virtual_time
from tests.llm.virtual_time import settled


def a_clock() -> CallClock:
    return CallClock(Endpoint("test-model"))


def test_a_pause_holds_calls_until_it_is_over() -> None:
    async def main() -> None:
        gate = Gate()
        await gate.passage()
        gate.pause("a look at it")
        waiting = asyncio.create_task(gate.passage())
        await settled()
        assert not waiting.done()
        gate.resume()
        await waiting

    asyncio.run(main())


def test_a_halt_lets_calls_in_flight_finish_before_the_waiting_ones_end() -> None:
    async def main() -> None:
        gate = Gate()
        with gate.flight(a_clock()):
            gate.halt("budget", "It is spent.")
            waiting = asyncio.create_task(gate.passage())
            await settled()
            assert not waiting.done()
        with pytest.raises(Halted, match=r"It is spent\.") as caught:
            await waiting
        assert caught.value.reason == "budget"

    asyncio.run(main())


def test_a_halt_ends_those_who_wait_in_a_pause() -> None:
    async def main() -> None:
        gate = Gate()
        gate.pause("")
        waiting = asyncio.create_task(gate.passage())
        reopened = asyncio.create_task(gate.reopened())
        await settled()
        gate.halt("stopped", "by the user")
        await reopened
        with pytest.raises(Halted):
            await waiting

    asyncio.run(main())


def test_the_first_halt_counts_and_nothing_undoes_it() -> None:
    told: list[tuple[GateState, str]] = []

    async def main() -> None:
        gate = Gate(lambda state, cause: told.append((state, cause)))
        gate.halt("budget", "first")
        gate.halt("failed", "second")
        gate.pause("third")
        gate.resume()
        with pytest.raises(Halted, match="first") as caught:
            await gate.passage()
        assert caught.value.reason == "budget"

    asyncio.run(main())
    assert told == [("halting", "first")]


def test_every_listener_hears_every_change_once() -> None:
    heard: list[tuple[str, GateState, str]] = []
    gate = Gate(lambda state, cause: heard.append(("one", state, cause)))
    gate.tell(lambda state, cause: heard.append(("two", state, cause)))
    gate.resume()
    gate.pause("first")
    gate.pause("again")
    gate.resume()
    assert heard == [
        ("one", "paused", "first"),
        ("two", "paused", "first"),
        ("one", "open", ""),
        ("two", "open", ""),
    ]


def test_calls_in_flight_are_counted_however_they_end() -> None:
    gate = Gate()

    def fail() -> None:
        with gate.flight(a_clock()):
            assert gate.in_flight == 2
            raise ValueError("broken")

    with gate.flight(a_clock()):
        with pytest.raises(ValueError, match="broken"):
            fail()
        assert gate.in_flight == 1
    assert gate.in_flight == 0


@pytest.mark.parametrize(("at_three", "slept"), [("nothing", 10.0), ("pause", 3.0), ("halt", 3.0)])
def test_a_wait_ends_in_time_or_with_the_pause_or_halt(at_three: str, slept: float) -> None:
    async def main() -> float:
        gate, loop = Gate(), asyncio.get_running_loop()
        if at_three == "pause":
            loop.call_later(3, gate.pause, "")
        elif at_three == "halt":
            loop.call_later(3, gate.halt, "stopped", "")
        began = loop.time()
        await gate.sleep(10)
        return loop.time() - began

    assert virtual_time.run(main()) == pytest.approx(slept)


def test_waiting_for_something_ends_with_a_halt_and_not_with_a_pause() -> None:
    async def main() -> None:
        gate = Gate()
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def wait() -> None:
            await never

        waiting = asyncio.create_task(gate.until_halt(wait()))
        gate.pause("")
        await settled()
        assert not waiting.done()
        gate.halt("stopped", "")
        await waiting
        assert never.cancelled()

    asyncio.run(main())


def test_an_error_of_what_is_waited_for_is_raised_and_leaves_no_task() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    async def main() -> None:
        with pytest.raises(ValueError, match="broken"):
            await Gate().until_halt(fail())
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_cancelling_a_wait_leaves_no_task() -> None:
    async def main() -> None:
        waiting = asyncio.create_task(Gate().until_halt(asyncio.sleep(1000)))
        await settled()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
