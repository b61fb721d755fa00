"""Calls in batches of both families: bought once, kept by their keys, whatever happens on the way."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from spotui.domain.calls import Reply
from spotui.domain.events import BatchChanged, CallFinished, Noticed
from spotui.domain.records import BatchedCall, BatchLine, CallLine
from spotui.llm.batches.anthropic import AnthropicBatches
from spotui.llm.batches.api import BatchApi, Limits
from spotui.llm.batches.hosted import AzureBatches
from spotui.llm.batches.openai import OpenAIBatches
from spotui.llm.limits import Halted
from spotui.llm.protocol import RequestRefusedError, digest_of
from spotui.llm.routing import Endpoint
from spotui.settings.table import BudgetSettings
from spotui.workspace.journal import Journal
from tests.llm.batches.questions import RETRIED, ask_one, echo
from tests.llm.opening import PRICE, Opened, a_key, a_request, an_open_door, run
from tests.model_server import ModelServer, conversation
from tests.model_server.batches import Batching, Fate

Family = Callable[[Endpoint], BatchApi]


def openai(endpoint: Endpoint) -> BatchApi:
    api = OpenAIBatches(endpoint, endpoint.model)
    api.share = 0.5  # as at api.openai.com
    return api


def anthropic(endpoint: Endpoint) -> BatchApi:
    assert endpoint.base_url is not None
    return AnthropicBatches(endpoint, {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": endpoint.base_url})


a_door = partial(an_open_door, silence=60.0)
"""A door that is patient with a busy machine."""

both = pytest.mark.parametrize("family", [openai, anthropic])


async def ask(opened: Opened, *numbers: int) -> list[Reply]:
    return await asyncio.gather(*[ask_one(opened, one) for one in numbers])


def texts(*numbers: int) -> list[str]:
    return [f"re: Question {one}" for one in numbers]


def states(opened: Opened) -> list[str]:
    return [line.state for line in opened.lines() if isinstance(line, BatchLine)]


def bought(server: ModelServer) -> list[str]:
    return sorted(conversation(one.json) for one in server.requests)


@both
def test_calls_go_out_together_at_half_the_price_and_are_never_bought_again(
    tmp_path: Path, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIBatches, "limits", Limits(3, 1_000_000))
    monkeypatch.setattr(AnthropicBatches, "limits", Limits(3, 1_000_000))

    async def main(base_url: str) -> None:
        async with a_door(base_url, tmp_path, batches=family) as opened:
            live = opened.door.ask(a_key(9), a_request("Live"))
            [replies, alone] = await asyncio.gather(ask(opened, *range(7)), live)
            assert [one.text for one in replies] == texts(*range(7))
            assert alone.text == "re: Live"
            assert replies[0].cost_usd == PRICE.cost(1000, 250) / 2
            assert opened.spending.calls == 8
            assert opened.spending.cost_usd == pytest.approx(4.5 * PRICE.cost(1000, 250))
            told = opened.told(BatchChanged)
            assert [one.calls for one in told if one.state == "submitted"] == [3, 3, 1]
            assert all(one.expected for one in told if one.state == "submitted")
            assert sum(one.done for one in told if one.state == "collected") == 7
            assert len(opened.told(CallFinished)) == 8
            assert sorted(states(opened)) == ["collected"] * 3 + ["intended"] * 3 + ["submitted"] * 3
        async with a_door(base_url, tmp_path, batches=family) as opened:
            assert [one.text for one in await ask(opened, *range(7))] == texts(*range(7))

    with ModelServer(echo, batching=Batching(seconds=0.1)) as server:
        run(main(server.base_url))
        assert len(server.requests) == 8


@both
def test_what_was_not_answered_is_sent_again_and_nothing_else(tmp_path: Path, family: Family) -> None:
    fates: dict[int, Fate] = {1: "expire", 2: "fail", 3: "refuse"}

    async def main(base_url: str) -> None:
        async with a_door(base_url, tmp_path, batches=family) as opened:
            asked = [ask_one(opened, one) for one in range(5)]
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert isinstance(found[3], RequestRefusedError)
            assert "cannot be answered" in str(found[3])
            assert [one.text for one in found if isinstance(one, Reply)] == texts(0, 1, 2, 4)
            [first, second] = [one for one in opened.told(BatchChanged) if one.state == "collected"]
            assert (first.calls, first.again, second.calls, second.again) == (5, 2, 2, 0)
            rejected = [
                one for one in opened.lines() if isinstance(one, CallLine) and b"rejected" in bytes(one.reply)
            ]
            assert [one.key for one in rejected] == [a_key(3)]

    def fate(number: int, row: int) -> Fate:
        return fates.get(row, "answer") if number == 1 else "answer"

    with ModelServer(echo, batching=Batching(fate=fate)) as server:
        run(main(server.base_url))
        assert bought(server) == [f"Question {one}" for one in (0, 1, 2, 4)]


@both
def test_a_submission_without_an_answer_is_found_again_by_its_name(tmp_path: Path, family: Family) -> None:
    async def main(base_url: str) -> None:
        async with a_door(base_url, tmp_path, batches=family, retry=RETRIED) as opened:
            assert [one.text for one in await ask(opened, 0, 1)] == texts(0, 1)
            assert opened.told(Noticed)

    with ModelServer(echo, batching=Batching(seconds=0.1, lost=frozenset({1}))) as server:
        run(main(server.base_url))
        assert len(server.requests) == 2


@both
def test_a_session_that_is_killed_leaves_its_batch_to_the_next(tmp_path: Path, family: Family) -> None:
    async def killed(base_url: str, until: Callable[[Opened], bool]) -> None:
        async with a_door(base_url, tmp_path, batches=family) as opened:
            asking = asyncio.create_task(ask(opened, 0, 1, 2))
            await opened.until(lambda: until(opened))
            asking.cancel()

    async def main(server: ModelServer) -> None:
        # While it is handed in: the server has it, and its answer never comes.
        server.batches.how.taking = 0.3
        await killed(server.base_url, lambda _: bool(server.batches.taken))
        # While it is waited for, found again by its name.
        await killed(server.base_url, lambda opened: bool(opened.told(BatchChanged)))
        server.batches.how.seconds = 0.1
        async with a_door(server.base_url, tmp_path, batches=family) as opened:
            assert [one.text for one in await ask(opened, 0, 1)] == texts(0, 1)
            assert "collected" not in states(opened)  # nobody has asked for the third yet
            [third] = await ask(opened, 2)
            assert [third.text] == texts(2)
            assert states(opened)[-1] == "collected"
            assert opened.spending.calls == 3

    with ModelServer(echo, batching=Batching(seconds=60.0 if family is openai else 0.5)) as server:
        run(main(server))
        assert len(server.requests) == 3


@both
def test_a_batch_that_was_never_handed_in_is_handed_in_now(tmp_path: Path, family: Family) -> None:
    async def main(base_url: str) -> None:
        request = a_request("Question 0")
        with Journal(tmp_path / "journal.jsonl", run="test", writable=True) as journal:
            call = BatchedCall(a_key(0), digest_of(request))
            journal.append(BatchLine(token="0" * 16, state="intended", model="test-model", calls=(call,)))
        async with a_door(base_url, tmp_path, batches=family) as opened:
            assert [one.text for one in await ask(opened, 0, 1)] == texts(0, 1)

    with ModelServer(echo) as server:
        run(main(server.base_url))
        assert bought(server) == ["Question 0", "Question 1"]


@both
def test_a_forgotten_batch_ends_the_run_with_what_to_do(tmp_path: Path, family: Family) -> None:
    async def main(server: ModelServer) -> None:
        async with a_door(server.base_url, tmp_path, batches=family) as opened:
            asking = asyncio.create_task(ask(opened, 0))
            await opened.until(lambda: bool(opened.told(BatchChanged)))
            server.batches.forget()
            with pytest.raises(Halted, match=r"batch_1 is not there any more: .*--give-up batch_1"):
                await asking

    with ModelServer(echo, batching=Batching(seconds=60.0)) as server:
        run(main(server))
        assert len(server.requests) == 1


def test_a_deployment_of_azure_is_reached_over_litellm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(base_url: str) -> None:
        monkeypatch.setenv("AZURE_API_BASE", base_url.removesuffix("/v1"))
        monkeypatch.setenv("AZURE_API_VERSION", "2024-10-21")
        monkeypatch.setenv("AZURE_API_KEY", "k")

        def azure(_endpoint: Endpoint) -> BatchApi:
            return AzureBatches(Endpoint("azure/test-model"), os.environ)

        async with a_door(base_url, tmp_path, batches=azure, retry=RETRIED) as opened:
            replies = await ask(opened, 0, 1)
            assert [one.text for one in replies] == texts(0, 1)
            assert replies[0].cost_usd == PRICE.cost(1000, 250) / 2

    with ModelServer(echo, batching=Batching(seconds=0.1, lost=frozenset({1}))) as server:
        asyncio.run(asyncio.wait_for(main(server.base_url), 240))  # litellm takes a while to be imported
        assert len(server.requests) == 2


def test_a_run_may_leave_once_everything_is_handed_in(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with a_door(base_url, tmp_path, batches=openai, leaves=True) as opened:
            with pytest.raises(
                Halted, match=r"Waiting for 1 batch with 2 calls in all. The last one ends by"
            ) as ended:
                await ask(opened, 0, 1)
            assert ended.value.reason == "waiting"

    with ModelServer(echo, batching=Batching(seconds=60.0)) as server:
        run(main(server.base_url))


def test_a_cancelled_vote_is_kept_when_it_arrives(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with a_door(base_url, tmp_path, batches=openai) as opened:
            vote = asyncio.create_task(ask(opened, 1))
            other = asyncio.create_task(ask(opened, 0))
            await opened.until(lambda: bool(opened.told(BatchChanged)))
            vote.cancel()
            await other
            assert opened.door.holds(a_key(1))
            assert opened.spending.calls == 2
            # One that was not sent yet is not bought.
            vote = asyncio.create_task(ask(opened, 2))
            await asyncio.sleep(0)
            vote.cancel()
            await ask(opened, 3)
            assert not opened.door.holds(a_key(2))

    with ModelServer(echo, batching=Batching(seconds=0.1)) as server:
        run(main(server.base_url))
        assert bought(server) == ["Question 0", "Question 1", "Question 3"]


def test_a_provider_that_takes_less_at_once_gets_smaller_batches_one_by_one(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with a_door(base_url, tmp_path, batches=openai) as opened:
            assert [one.text for one in await ask(opened, *range(5))] == texts(*range(5))
            assert [one.calls for one in opened.told(BatchChanged) if one.state == "collected"] == [2, 2, 1]

    with ModelServer(echo, batching=Batching(most=2)) as server:
        run(main(server.base_url))
        assert len(server.requests) == 5


def test_what_cannot_be_in_a_batch_is_sent_live_and_the_budget_holds(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        budget = BudgetSettings(usd=0.006)
        async with a_door(base_url, tmp_path, batches=openai, budget=budget) as opened:
            embedding = await opened.door.ask(a_key(7), a_request("Embed", embed=True), is_batched=True)
            assert embedding.vector
            assert "live" in opened.told(Noticed)[0].text
            with pytest.raises(Halted, match="budget"):
                await ask(opened, *range(20))
            assert opened.spending.cost_usd <= 0.006
        async with a_door(base_url, tmp_path, batches=openai, is_live=True) as opened:
            [late] = await ask(opened, 30)
            assert late.cost_usd == PRICE.cost(1000, 250)

    with ModelServer(echo, batching=Batching()) as server:
        run(main(server.base_url))
