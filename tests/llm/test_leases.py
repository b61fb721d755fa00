"""One budget over several runs: what all of them may spend never adds up to more."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.messages import user
from spotui.llm.budget import BudgetSpentError
from spotui.llm.leases import LeasedBudget, Pool
from spotui.llm.routing import Price
from spotui.llm.spending import Amounts, Spending
from spotui.settings.table import BudgetSettings

REQUEST = Request(model="m", messages=(user("What is 1 plus 2?"),), temperature=0.0, max_tokens=100)
PRICE = Price(1.0, 2.0)

STEPS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(("open", "lend", "close")), st.integers(0, 60)),
    max_size=60,
)


@given(STEPS, st.integers(1, 200))
def test_what_is_given_stays_within_the_limits_whatever_runs_do(
    steps: list[tuple[str, str, int]], limit: int
) -> None:
    pool = Pool(BudgetSettings(calls=limit, usd=limit / 100))
    given: dict[str, Amounts] = {}
    for name, step, number in steps:
        if step == "open" and name not in given:
            given[name] = pool.open(name, Amounts())
        elif step == "lend" and name in given:
            before = given[name]
            given[name] = pool.lend(name, Amounts(number, 10 * number, number / 100))
            assert given[name].calls >= before.calls
            assert given[name].tokens >= 10 * number  # without a limit nothing is refused
        elif step == "close" and name in given:  # it spent some of what it had, or died and spent all
            spent = Amounts(min(given[name].calls, number), 0, min(given[name].usd, number / 100))
            pool.close(name, spent)
            given[name] = spent
        assert pool.given.calls <= limit
        assert pool.given.usd <= limit / 100 + 1e-9
        assert pool.given.calls == sum(one.calls for one in given.values())


def test_runs_spend_the_pool_to_its_end_and_no_further() -> None:
    causes: set[str] = set()

    async def work() -> tuple[list[int], Pool]:
        pool = Pool(BudgetSettings(calls=50, tokens=20_000))
        pool.kept_back = Amounts(calls=5)

        async def run(name: str) -> int:
            spending = Spending()

            async def lend(wanted: Amounts) -> Amounts:
                await asyncio.sleep(0)
                return pool.lend(name, wanted)

            pool.open(name, Amounts())
            budget = LeasedBudget(BudgetSettings(), pool.limits, lend, spending)

            async def call() -> bool:
                try:
                    reservation = await budget.reserve(REQUEST, "execute", PRICE)
                except BudgetSpentError as error:
                    causes.add(error.what)
                    return False
                assert reservation.ceiling == 100  # a part of the pool never cuts a reply short
                await asyncio.sleep(0)
                reply = Reply("3", "stop", Usage(20, 10), seconds=0.0, cost_usd=0.0)
                budget.settle(reservation, "execute", reply)
                return True

            while all(await asyncio.gather(*(call() for _ in range(4)))):
                pass
            pool.close(name, Amounts(spending.calls, spending.tokens))
            return spending.calls

        return list(await asyncio.gather(*map(run, "abc"))), pool

    calls, pool = asyncio.run(work())
    assert 40 <= sum(calls) <= 45
    assert all(calls)
    assert causes == {"The budget of the sweep is spent."}
    assert pool.is_spent


def test_a_run_keeps_to_its_own_limits_too() -> None:
    async def work() -> str:
        pool = Pool(BudgetSettings(calls=50))

        async def lend(wanted: Amounts) -> Amounts:
            return pool.lend("a", wanted)

        pool.open("a", Amounts())
        budget = LeasedBudget(BudgetSettings(calls=2), pool.limits, lend)
        try:
            for _ in range(3):
                reservation = await budget.reserve(REQUEST, "execute", PRICE)
                budget.settle(reservation, "execute", Reply("3", "stop", Usage(20, 10), seconds=0.0))
        except BudgetSpentError as error:
            return error.what
        return ""

    assert asyncio.run(work()) == "The budget of 2 calls is spent."
