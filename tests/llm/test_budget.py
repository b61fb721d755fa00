"""A run never spends more than it may, however many calls are under way, and spends what it may."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.calls import FinishReason, Reply, Request, Usage
from spotui.domain.messages import Message
from spotui.llm.budget import LEAST_COMPLETION, MOST_COMPLETION, Budget, BudgetSpentError, UnknownPriceError
from spotui.llm.routing import Price
from spotui.llm.spending import Reservation, Spending, prompt_size
from spotui.llm.tokens import count_tokens
from spotui.settings.table import BudgetSettings
from tests.llm.virtual_time import settled

Result = TypeVar("Result")
PRICE = Price(input=1.0, output=4.0)


def a_request(text: str = "What is two and two?", *, max_tokens: int | None = None) -> Request:
    return Request("test-model", (Message("user", text),), max_tokens=max_tokens)


def a_reply(
    prompt: int, completion: int, *, cost: float | None = None, reason: FinishReason = "stop"
) -> Reply:
    return Reply("said", reason, Usage(prompt, completion), 0.1, cost_usd=cost)


def run(main: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(main, 20))


class Call(NamedTuple):
    """One call of a made-up run: how long its prompt is, what it uses of its room, how it ends."""

    prompt: int
    max_tokens: int | None
    price: Price
    used: float
    turns: int
    end: Literal["reply", "failure", "cancelled"]


calls = st.builds(
    Call,
    prompt=st.integers(0, 6000),
    max_tokens=st.none() | st.integers(1, 6000),
    price=st.sampled_from([PRICE, PRICE, Price(0.0, 0.0), Price(30.0, 0.0), Price(0.0, 2.0)]),
    used=st.sampled_from([0.1, 0.6, 1.0, 1.0]),
    turns=st.integers(0, 8),
    end=st.sampled_from(["reply", "reply", "reply", "failure", "cancelled"]),
)
limits = st.builds(
    BudgetSettings,
    usd=st.none() | st.floats(0.001, 0.04),
    tokens=st.none() | st.integers(1, 40_000),
    calls=st.none() | st.integers(1, 12),
)


@given(limits=limits, planned=st.lists(calls, max_size=14))
def test_it_never_overspends_however_calls_overlap(limits: BudgetSettings, planned: list[Call]) -> None:
    async def main() -> None:
        budget = Budget(limits)
        outcomes = await asyncio.gather(*(_make(budget, call) for call in planned))
        spent = budget.spending
        assert spent.calls == outcomes.count("kept")
        if limits.calls is not None:
            # Failed calls gave their room back: as many replies were bought as there was room for.
            assert spent.calls <= limits.calls
        if limits == BudgetSettings(calls=limits.calls) and limits.calls is not None:
            assert spent.calls == min(limits.calls, sum(call.end == "reply" for call in planned))

    run(main())


async def _make(budget: Budget, call: Call) -> str:
    request = a_request("word " * (call.prompt // 5), max_tokens=call.max_tokens)
    try:
        reservation = await budget.reserve(request, "execute", call.price)
    except BudgetSpentError:
        return "spent"
    for _ in range(call.turns):
        await asyncio.sleep(0)
    if call.end != "reply":
        budget.release(reservation)
        return call.end
    most = reservation.ceiling or call.max_tokens or MOST_COMPLETION
    prompt, completion = prompt_size(request), round(call.used * most)
    cost = call.price.cost(prompt, completion)
    budget.settle(reservation, "execute", a_reply(prompt, completion, cost=cost))
    assert budget.limits.tokens is None or budget.spending.tokens <= budget.limits.tokens
    assert budget.limits.usd is None or budget.spending.cost_usd <= budget.limits.usd + 1e-9
    return "kept"


def test_a_call_waits_for_room_that_calls_in_flight_may_leave() -> None:
    async def main() -> None:
        budget = Budget(BudgetSettings(tokens=4500))
        first = await budget.reserve(a_request(), "execute", PRICE)
        second = asyncio.create_task(budget.reserve(a_request(max_tokens=1000), "execute", PRICE))
        await settled()
        assert not second.done()
        budget.settle(first, "execute", a_reply(10, 100))
        assert (await second).ceiling == 1000

    run(main())


def test_a_call_that_cannot_fit_any_more_is_refused_once_nothing_is_in_flight() -> None:
    async def main() -> None:
        budget = Budget(BudgetSettings(tokens=4500))
        first = await budget.reserve(a_request(), "execute", PRICE)
        second = asyncio.create_task(budget.reserve(a_request(), "execute", PRICE))
        await settled()
        assert not second.done()
        budget.settle(first, "execute", a_reply(10, 4200))
        with pytest.raises(BudgetSpentError, match=r"4,500 tokens is spent: 290 left, too few"):
            await second

    run(main())


def test_more_budget_lets_the_waiting_in() -> None:
    async def main() -> None:
        budget = Budget(BudgetSettings(calls=1))
        await budget.reserve(a_request(), "execute", PRICE)
        second = asyncio.create_task(budget.reserve(a_request(), "execute", PRICE))
        await settled()
        budget.change(BudgetSettings(calls=2))
        await second

    run(main())


@pytest.mark.parametrize(
    ("limits", "spending", "words"),
    [
        (BudgetSettings(calls=3), Spending(calls=3), r"The budget of 3 calls is spent\."),
        (BudgetSettings(tokens=9000), Spending(1, 6000, 2900), r"9,000 tokens is spent: 100 left"),
        (BudgetSettings(usd=0.5), Spending(cost_usd=0.4999), r"\$0\.5 is spent: \$0\.0001 left"),
        (BudgetSettings(minutes=2), Spending(), r"2 minutes is spent"),
    ],
)
def test_what_earlier_sessions_used_counts(limits: BudgetSettings, spending: Spending, words: str) -> None:
    async def main() -> None:
        budget = Budget(limits, spending, seconds=120)
        with pytest.raises(BudgetSpentError, match=words):
            await budget.reserve(a_request(), "execute", PRICE)

    run(main())


def reserve(limits: BudgetSettings, price: Price | None = PRICE, **request: Any) -> Reservation:
    return run(Budget(limits).reserve(a_request(**request), "execute", price))


def test_without_limits_no_reply_is_cut() -> None:
    assert reserve(BudgetSettings(calls=9, minutes=9), None).ceiling is None


def test_a_reply_may_be_as_long_as_the_rest_of_the_budget_pays_for() -> None:
    size = prompt_size(a_request())
    assert reserve(BudgetSettings(tokens=2000)).ceiling == 2000 - size
    assert reserve(BudgetSettings(usd=0.004)).ceiling == (4000 - size) // 4
    assert reserve(BudgetSettings(tokens=10**9, usd=1000.0)).ceiling == MOST_COMPLETION
    assert reserve(BudgetSettings(tokens=10**9), max_tokens=70).ceiling == 70


@pytest.mark.parametrize("limits", [BudgetSettings(tokens=5000), BudgetSettings(usd=0.02)])
def test_room_is_not_given_twice(limits: BudgetSettings) -> None:
    async def main() -> None:
        budget = Budget(limits)
        first, second = [await budget.reserve(a_request(), "execute", PRICE) for _ in range(2)]
        assert limits.tokens is None or first.tokens + second.tokens == limits.tokens
        assert limits.usd is None or first.usd + second.usd == pytest.approx(limits.usd, abs=1e-5)

    run(main())


def test_a_model_that_costs_nothing_needs_no_room_in_usd() -> None:
    assert reserve(BudgetSettings(usd=0.01), Price(0.0, 0.0)).ceiling is None


def test_long_replies_make_room_for_longer_ones() -> None:
    async def main() -> None:
        budget = Budget(BudgetSettings(tokens=50_000))
        first = await budget.reserve(a_request(), "propose", PRICE)
        budget.settle(first, "propose", a_reply(10, 4096))
        assert (await budget.reserve(a_request(), "propose", PRICE)).ceiling == 2 * 4096
        assert (await budget.reserve(a_request(), "vote", PRICE)).ceiling == MOST_COMPLETION

    run(main())


@pytest.mark.parametrize(
    ("limit", "completion", "reason", "cut"),
    [
        (1000, 990, "length", True),
        (1000, 500, "length", False),
        (1000, 990, "stop", False),
        (10**6, MOST_COMPLETION, "length", False),
    ],
)
def test_a_reply_that_the_budget_cut_is_told_from_one_that_was_cut_anyway(
    limit: int, completion: int, reason: FinishReason, cut: bool
) -> None:
    assert reserve(BudgetSettings(tokens=limit)).cut(a_reply(9, completion, reason=reason)) is cut


def test_the_least_room_for_a_call() -> None:
    size = prompt_size(a_request())
    assert reserve(BudgetSettings(tokens=size + LEAST_COMPLETION)).ceiling == LEAST_COMPLETION
    with pytest.raises(BudgetSpentError):
        reserve(BudgetSettings(tokens=size + LEAST_COMPLETION - 1))


def test_a_budget_in_usd_without_a_price_is_refused_after_one_call_and_says_what_to_do() -> None:
    async def main() -> None:
        budget = Budget(BudgetSettings(usd=100.0))
        first = await budget.reserve(a_request(), "execute", None)
        second = asyncio.create_task(budget.reserve(a_request(), "execute", None))
        await asyncio.sleep(0)
        assert not second.done()
        budget.settle(first, "execute", a_reply(10, 10))
        await second

    with pytest.raises(UnknownPriceError) as caught:
        run(main())
    assert caught.value.what == "A budget in USD cannot be kept: the price of test-model is unknown."
    assert "models.test-model.price" in caught.value.hint
    assert "tokens or calls" in caught.value.hint


def test_the_cost_that_an_endpoint_reports_keeps_a_budget_in_usd() -> None:
    async def main() -> None:
        budget = Budget(BudgetSettings(usd=1.0))
        for cost in (0.2, 0.3):
            one = await budget.reserve(a_request(), "execute", None)
            budget.settle(one, "execute", msgspec.structs.replace(a_reply(10, 10), cost_usd=cost))
        third = await budget.reserve(a_request(), "execute", None)
        assert third.usd == 0.3  # as much as the dearest call so far
        budget.settle(third, "execute", msgspec.structs.replace(a_reply(10, 10), cost_usd=0.25))
        with pytest.raises(BudgetSpentError, match=r"\$0\.2500 left, too little"):
            await budget.reserve(a_request(), "execute", None)

    run(main())


def test_a_first_call_that_fails_leaves_its_turn_to_the_next() -> None:
    async def main() -> None:
        budget = Budget(BudgetSettings(usd=1.0))
        first = await budget.reserve(a_request(), "execute", None)
        second = asyncio.create_task(budget.reserve(a_request(), "execute", None))
        await asyncio.sleep(0)
        budget.release(first)
        assert (await second).unpriced == "test-model"

    run(main())


def test_a_limit_in_usd_cannot_be_set_once_a_model_without_a_price_has_answered() -> None:
    async def main() -> None:
        budget = Budget(BudgetSettings())
        budget.check(BudgetSettings(usd=1.0))
        one = await budget.reserve(a_request(), "execute", None)
        budget.settle(one, "execute", a_reply(10, 10))
        budget.check(BudgetSettings(tokens=1))
        with pytest.raises(UnknownPriceError):
            budget.check(BudgetSettings(usd=1.0))

    run(main())


def test_an_unknown_cost_is_counted_apart_and_is_not_zero() -> None:
    spending = Spending()
    spending.add(10, 5, 0.25)
    spending.add(10, 5, None)
    assert spending == Spending(calls=2, prompt_tokens=20, completion_tokens=10, cost_usd=0.25, unpriced=1)
    assert spending.tokens == 30


def test_pauses_are_not_counted_as_time() -> None:
    now = 0.0
    budget = Budget(BudgetSettings(minutes=2), seconds=30, clock=lambda: now)
    now = 40.0
    budget.stop_clock()
    now = 1000.0
    budget.stop_clock()
    assert (budget.seconds, budget.seconds_left) == (70.0, 50.0)
    budget.start_clock()
    budget.start_clock()
    now = 1060.0
    assert (budget.seconds, budget.seconds_left) == (130.0, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox jumps over the lazy dog; it does so every day, weather permitting. ",
        "def f(x: int) -> list[str]:\n    return [str(n) for n in range(x) if n % 3 == 0]\n",
        "请把下面这段话改写得更简洁, 并保留所有事实。",
        "Überprüfen Sie, ob die Größe der Straße stimmt. ",
        '{"name": "Ann", "tags": ["a", "b"], "price": 12.5}\n' * 20,
        "Привет, как дела? 안녕하세요. こんにちは、元気ですか。🙂",
        "",
    ],
)
def test_the_size_of_a_prompt_is_no_underestimate(text: str) -> None:
    for encoding in ("cl100k_base", "o200k_base"):
        assert prompt_size(a_request(text * 20)) >= count_tokens(text * 20, encoding).tokens


def test_the_size_of_a_prompt_with_half_a_character() -> None:
    assert prompt_size(a_request("\ud83d" * 30)) > 0


@pytest.mark.parametrize("price", [PRICE, Price(0.02, 0.0), Price(0.0, 0.0)])
def test_an_embedding_needs_room_for_what_is_read_alone(price: Price) -> None:
    request = Request("embedder", (Message("user", "A few words."),), embed=True)
    size = prompt_size(request)

    async def main() -> None:
        exact = Budget(BudgetSettings(tokens=size, usd=price.cost(size, 0)))
        reservation = await exact.reserve(request, "embed", price)
        assert reservation.tokens == size
        assert reservation.usd == pytest.approx(price.cost(size, 0))
        assert not reservation.is_tight
        assert exact.expected(request, "embed") == size
        exact.settle(reservation, "embed", a_reply(size, 0, cost=price.cost(size, 0)))
        with pytest.raises(BudgetSpentError):
            await exact.reserve(request, "embed", price)
        with pytest.raises(BudgetSpentError):
            await Budget(BudgetSettings(tokens=size - 1)).reserve(request, "embed", price)

    run(main())
