"""A run's models: each connected once, priced once, closed at the end whatever happens."""

import asyncio
import threading

import pytest

from spotui.domain.calls import Reply, Request
from spotui.llm.connections import Connection, Connections
from spotui.llm.limits import Limiter
from spotui.llm.protocol import BadRequestError, OnDelta
from spotui.llm.routing import Endpoint, Limits, Price


class Idle:
    """A provider that only counts how often it was closed."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.closed = 0
        self._stuck = stuck

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        raise AssertionError("nothing is asked here")

    async def aclose(self) -> None:
        self.closed += 1
        if self._stuck:
            raise OSError("stuck")


class Models:
    """Connections whose providers are idle."""

    def __init__(self, *, stuck: str = "") -> None:
        self.providers: dict[str, Idle] = {}
        self.limiter = Limiter(Limits(concurrency=2))
        self.connections = Connections(self._connect)
        self._stuck = stuck

    def _connect(self, model: str) -> Connection:
        if model == "nowhere":
            raise BadRequestError("It leads nowhere.")
        self.providers[model] = Idle(stuck=model == self._stuck)
        price = None if model == "unpriced" else Price(1.0, 2.0)
        return Connection(Endpoint(model, price=price), self.providers[model], self.limiter)


def test_a_model_is_connected_once() -> None:
    models = Models()
    assert models.connections.to("a") is models.connections.to("a")
    assert list(models.providers) == ["a"]


def test_a_model_that_leads_nowhere_is_asked_for_again() -> None:
    models = Models()
    for _ in range(2):
        with pytest.raises(BadRequestError):
            models.connections.to("nowhere")


def test_every_provider_is_closed_even_when_one_fails_to() -> None:
    models = Models(stuck="b")
    for name in "abc":
        models.connections.to(name)
    with pytest.raises(OSError, match="stuck"):
        asyncio.run(models.connections.aclose())
    assert [provider.closed for provider in models.providers.values()] == [1, 1, 1]


def test_a_changed_concurrency_holds_for_models_asked_later_too() -> None:
    models = Models()
    first = models.connections.to("a")
    models.connections.set_concurrency(7)
    assert first.limiter.concurrency == 7
    models.limiter = Limiter(Limits(concurrency=2))
    assert models.connections.to("b").limiter.concurrency == 7


def test_prices_of_several_models() -> None:
    prices = asyncio.run(Models().connections.prices(["a", "unpriced", "a"]))
    assert prices == {"a": Price(1.0, 2.0), "unpriced": None}


def test_a_price_is_looked_up_once_and_off_the_event_loop() -> None:
    threads: list[int] = []

    def look() -> Price:
        threads.append(threading.get_ident())
        return Price(3.0, 4.0)

    async def main() -> None:
        connection = Connection(Endpoint("m"), Idle(), Limiter(Limits()), find_price=look)
        waiting = asyncio.create_task(connection.price())
        await asyncio.sleep(0)
        waiting.cancel()  # one who gives up does not take the price away from the others
        found = await asyncio.gather(*(connection.price() for _ in range(5)))
        assert found == [Price(3.0, 4.0)] * 5

    asyncio.run(main())
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


def test_the_users_own_price_is_not_looked_up() -> None:
    def look() -> Price:
        raise AssertionError("not asked")

    connection = Connection(Endpoint("m", price=Price(0.0, 0.0)), Idle(), Limiter(Limits()), find_price=look)
    assert asyncio.run(connection.price()) == Price(0.0, 0.0)


def test_a_price_is_per_million_tokens() -> None:
    assert Price(input=2.5, output=10.0).cost(1_000_000, 500_000) == 7.5
