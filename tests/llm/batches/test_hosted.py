"""Batches over litellm, against a server that imitates the providers: each row is bought once."""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.calls import Reply
from spotui.domain.events import BatchChanged, Noticed
from spotui.domain.records import CallLine
from spotui.llm.batches import carriers, over_litellm
from spotui.llm.batches.api import BatchApi
from spotui.llm.batches.hosted import VertexBatches, batches_over_litellm
from spotui.llm.limits import Halted
from spotui.llm.protocol import AuthenticationError, ModelError
from spotui.llm.routing import Endpoint
from tests.llm.batches.questions import RETRIED, ask_one, echo
from tests.llm.opening import PRICE, Opened, an_open_door
from tests.model_server import ModelServer, conversation
from tests.model_server.batches import Batching, Fate
from tests.model_server.hosted_batches import KEY

FATES: dict[int, Fate] = {1: "expire", 2: "fail", 3: "refuse"}
RESULTS = ("/content", ":download", "/results", "predictions.jsonl")
SHARES = {"mistral": 0.5, "gemini": 0.5, "xai": 0.8}


def fate(number: int, row: int) -> Fate:
    return FATES.get(row, "answer") if number == 1 else "answer"


async def ask(opened: Opened, *numbers: int) -> list[Reply | BaseException]:
    return await asyncio.gather(*[ask_one(opened, one) for one in numbers], return_exceptions=True)


def texts(replies: list[Reply | BaseException]) -> list[str]:
    return [one.text if isinstance(one, Reply) else type(one).__name__ for one in replies]


async def a_life_of_batches(
    server: ModelServer, folder: Path, family: Callable[[Endpoint], BatchApi]
) -> None:
    """Three sessions: a broken-off submission with failing rows, a killed one, and a forgotten batch."""

    def door(name: str) -> AbstractAsyncContextManager[Opened]:
        (folder / name).mkdir(exist_ok=True)
        return an_open_door(server.base_url, folder / name, batches=family, retry=RETRIED, silence=60.0)

    async with door("failing") as opened:
        replies = await ask(opened, *range(5))
        assert texts(replies) == [
            *("re: Question 0", "re: Question 1", "re: Question 2"),
            *("RequestRefusedError", "re: Question 4"),
        ]
        assert "cannot be answered" in str(replies[3])
        # The answer to the first submission never came, and that to the second was none.
        told = [one.text for one in opened.told(Noticed)]
        assert len(told) == 2
        assert "something other than a batch" in told[1]
        [first, second] = [one for one in opened.told(BatchChanged) if one.state == "collected"]
        assert (first.calls, first.again, second.calls, second.again) == (5, 2, 2, 0)
        assert isinstance(replies[0], Reply)
        assert (replies[0].usage.prompt_tokens, replies[0].usage.completion_tokens) == (1000, 250)
        share = opened.door.connections.to("test-model").batches
        assert share is not None
        assert replies[0].cost_usd == pytest.approx(PRICE.cost(1000, 250) * share.share)
        assert len([one for one in opened.lines() if isinstance(one, CallLine)]) == 5
        events = repr(opened.events)

    server.batches.how.taking = 0.4
    async with door("killed") as opened:
        asking = asyncio.create_task(ask(opened, 10, 11))
        await opened.until(lambda: len(server.batches.taken) == 3)
        asking.cancel()
    server.batches.how.taking = 0.0
    async with door("killed") as opened:
        assert texts(await ask(opened, 10, 11)) == ["re: Question 10", "re: Question 11"]

    server.batches.how.seconds = 60.0
    async with door("forgotten") as opened:
        asking = asyncio.create_task(ask(opened, 20))
        await opened.until(lambda: bool(opened.told(BatchChanged)))
        server.batches.forget()
        [ended] = await asking
        assert isinstance(ended, Halted)
        assert "is not there any more" in str(ended)
        assert "--give-up batch_4" in str(ended)

    server.batches.how.refusal = "Batches are closed to this team"
    async with door("refused") as opened:
        [ended] = await ask(opened, 30)
        assert isinstance(ended, Halted)
        assert "Batches are closed to this team" in str(ended)

    asked = sorted(conversation(one.json) for one in server.requests)
    assert asked == sorted(f"Question {one}" for one in (0, 1, 2, 4, 10, 11, 20))
    results = [one for one in server.batches.targets if any(part in one for part in RESULTS)]
    assert len(results) == len(set(results))  # nothing is downloaded twice
    kept = events + "".join(one.read_text() for one in folder.rglob("*.jsonl"))
    assert KEY not in kept


def hosted(provider: str) -> Callable[[Endpoint], BatchApi]:
    """The batches of a provider below the server."""

    def family(endpoint: Endpoint) -> BatchApi:
        root = endpoint.base_url.removesuffix("/v1") if endpoint.base_url else ""
        environ = {f"{provider.upper()}_API_BASE": f"{root}/{provider}", f"{provider.upper()}_API_KEY": KEY}
        api = batches_over_litellm(Endpoint(f"{provider}/test-model", price=endpoint.price), environ)
        assert api is not None
        assert api.share == SHARES[provider]
        return api

    return family


def troubled() -> Batching:
    return Batching(seconds=0.1, fate=fate, lost=frozenset({1}), garbled=frozenset({2}))


@pytest.mark.parametrize("provider", SHARES)
def test_a_provider_over_litellm_sells_each_row_once(tmp_path: Path, provider: str) -> None:
    with ModelServer(echo, batching=troubled()) as server:
        main = a_life_of_batches(server, tmp_path, hosted(provider))
        asyncio.run(asyncio.wait_for(main, 240))  # litellm takes a while to be imported


def test_a_model_on_vertex_ai_over_litellm_sells_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import litellm
    from litellm.llms.vertex_ai.batches import handler
    from litellm.llms.vertex_ai.files.transformation import VertexAIFilesConfig
    from litellm.llms.vertex_ai.vertex_llm_base import VertexBase

    monkeypatch.setenv("GCS_BUCKET_NAME", "bucket")
    monkeypatch.setattr(litellm, "user_url_validation", False)
    monkeypatch.setattr(VertexBase, "get_access_token", lambda *_, **__: (KEY, "p"))
    with ModelServer(echo, batching=troubled()) as server:
        root = server.base_url.removesuffix("/v1")
        monkeypatch.setattr(handler, "get_vertex_base_url", lambda _location: f"{root}/vertex")
        for name in ("get_complete_file_url", "transform_file_content_request"):
            made = getattr(VertexAIFilesConfig, name)

            def moved(*args: object, made: Callable[..., Any] = made, **fields: object) -> object:
                def here(url: str) -> str:
                    return url.replace("https://storage.googleapis.com", f"{root}/gcs")

                found = made(*args, **fields)
                return here(found) if isinstance(found, str) else (here(found[0]), *found[1:])

            monkeypatch.setattr(VertexAIFilesConfig, name, moved)

        def family(endpoint: Endpoint) -> BatchApi:
            return VertexBatches(Endpoint("vertex_ai/gemini-test", price=endpoint.price), {})

        asyncio.run(asyncio.wait_for(a_life_of_batches(server, tmp_path, family), 240))

        async def with_another_bucket() -> None:
            def door() -> AbstractAsyncContextManager[Opened]:
                return an_open_door(server.base_url, tmp_path, batches=family, silence=60.0)

            server.batches.how = Batching(taking=0.4)
            taken = len(server.batches.taken)
            async with door() as opened:
                asking = asyncio.create_task(ask(opened, 40))
                await opened.until(lambda: len(server.batches.taken) > taken)
                asking.cancel()
            monkeypatch.setenv("GCS_BUCKET_NAME", "other")
            async with door() as opened:
                [ended] = await ask(opened, 40)
                assert re.search(r"has the batch named \w{16} cannot be seen.*--give-up \w{16}", str(ended))
            monkeypatch.setenv("GCS_BUCKET_NAME", "bucket")
            async with door() as opened:
                assert texts(await ask(opened, 40)) == ["re: Question 40"]
            assert len(server.batches.taken) == taken + 1

        asyncio.run(asyncio.wait_for(with_another_bucket(), 60))


def test_a_list_that_is_too_long_to_be_read_buys_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_litellm, "MOST_PAGES", 1)

    async def main(server: ModelServer) -> None:
        async with an_open_door(
            server.base_url, tmp_path, batches=hosted("xai"), retry=RETRIED, silence=60.0
        ) as opened:
            for number in range(2):
                assert texts(await ask(opened, number)) == [f"re: Question {number}"]
            [ended] = await ask(opened, 2)
            assert re.search(r"too many batches to see whether .* Delete old .*--give-up \w{16}", str(ended))

    with ModelServer(echo, batching=Batching(lost=frozenset({3}))) as server:
        asyncio.run(asyncio.wait_for(main(server), 240))
        assert len(server.batches.taken) == 3


@pytest.mark.parametrize(
    ("model", "environ", "said"),
    [
        ("bedrock/anthropic.claude-x", {}, "Bedrock's results back in a form .*without --batch"),
        ("vertex_ai/meta/llama-4", {"GCS_BUCKET_NAME": "b"}, "models named gemini-… or claude-… alone"),
        ("vertex_ai/gemini-x", {}, "GCS_BATCH_BUCKET_NAME or GCS_BUCKET_NAME is not set.*export GCS"),
        ("gemini-x", {"GOOGLE_CLOUD_PROJECT": "p"}, "through a bucket"),
    ],
)
def test_batches_that_cannot_be_used_are_refused_with_what_to_do(
    model: str, environ: Mapping[str, str], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        batches_over_litellm(Endpoint(model), environ)


def test_a_key_and_a_recent_litellm_are_wanted_before_anything_goes_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(AuthenticationError, match="MISTRAL_API_KEY is not set"):
        batches_over_litellm(Endpoint("mistral/mistral-large-latest"), {})
    assert batches_over_litellm(Endpoint("cohere/command-r"), {}) is None
    monkeypatch.setattr(carriers, "version", lambda _name: "1.84.0")
    with pytest.raises(
        ModelError, match=r"xAI need litellm 1.110 or later, and 1.84 is installed.*pip install"
    ):
        batches_over_litellm(Endpoint("xai/grok-4.3"), {"XAI_API_KEY": KEY})
