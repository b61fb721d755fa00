import asyncio
import os
import signal
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spotui.domain.calls import Reply, Request
from spotui.domain.messages import Message
from spotui.llm.local.files import sha256_of
from spotui.llm.local.server import literal_grammar
from spotui.llm.local.store import ModelStore
from spotui.llm.protocol import BadRequestError, ContextOverflowError, Delta, UnavailableError
from spotui.llm.providers.embedded import EmbeddedProvider
from tests.llm.local.tiny_model import FOR_EVER, REPLY, expected_logprobs, write_tiny_model

MODEL = "local/tiny"


def a_request(text: str = "hello", **fields: Any) -> Request:
    return Request(MODEL, (Message("user", text),), temperature=0.0, **fields)


def endless() -> Request:
    """Half a minute, were it not stopped."""
    return a_request(FOR_EVER, max_tokens=16_000)


def a_store(folder: Path) -> ModelStore:
    store = ModelStore(folder / "models")
    file = store.own_file(MODEL)
    file.parent.mkdir(parents=True)
    write_tiny_model(file)
    store.add(MODEL, file, sha256=asyncio.run(sha256_of(file)), origin="a test")
    return store


class Asked:
    """A provider that serves several tests, on an event loop of its own."""

    def __init__(self, provider: EmbeddedProvider) -> None:
        self.provider = provider
        self._runner = asyncio.Runner()

    def run(self, what: Coroutine[Any, Any, Reply]) -> Reply:
        return self._runner.run(what)

    def ask(self, request: Request, deltas: list[Delta] | None = None) -> Reply:
        return self.run(self.provider.complete(request, (deltas if deltas is not None else []).append))

    def force(self, answer: str, **fields: Any) -> Reply:
        return self.ask(a_request(grammar=literal_grammar(answer), logprobs=True, **fields))

    def close(self) -> None:
        self._runner.run(self.provider.aclose())
        self._runner.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("embedded")
    asked = Asked(EmbeddedProvider(MODEL, a_store(folder), folder / "log", slots=1))
    yield asked
    asked.close()


def test_a_reply_is_what_the_model_says(tiny: Asked) -> None:
    deltas: list[Delta] = []
    reply = tiny.ask(a_request(), deltas)
    assert (reply.text, reply.finish_reason, reply.cost_usd) == (REPLY, "stop", 0.0)
    assert "".join(delta.text for delta in deltas) == REPLY
    assert len(deltas) == 3
    assert not reply.usage.estimated
    assert reply.usage.completion_tokens == 4


def test_a_reply_ends_at_its_longest(tiny: Asked) -> None:
    reply = tiny.ask(a_request(max_tokens=2))
    assert (reply.text, reply.finish_reason) == ("one two", "length")


def test_a_model_that_repeats_itself_is_stopped_while_a_long_answer_can_be_forced(tiny: Asked) -> None:
    reply = tiny.ask(a_request(FOR_EVER))
    assert (reply.usage.completion_tokens, reply.finish_reason) == (1024, "length")
    assert tiny.force(" on" * 1100).text == " on" * 1100


def test_log_probabilities_are_those_of_the_models_table(tiny: Asked) -> None:
    reply = tiny.ask(a_request(logprobs=True))
    assert reply.logprobs == pytest.approx(expected_logprobs(["one", " two", " three"]), rel=1e-3)


@pytest.mark.parametrize(
    "pieces", [["one", " on", " on"], [" three", "one"], ["x", '"', "\\", "\n", " two"], ["é", "é", "one"]]
)
def test_a_forced_answer_has_the_log_probabilities_of_the_free_model(tiny: Asked, pieces: list[str]) -> None:
    reply = tiny.force("".join(pieces))
    assert reply.text == "".join(pieces)
    assert reply.logprobs == pytest.approx(expected_logprobs(pieces), rel=1e-3)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12))
@example("中 and 🦜: characters of several tokens\u2028")
def test_every_answer_can_be_forced(tiny: Asked, answer: str) -> None:
    reply = tiny.force(answer)
    assert reply.text == answer
    assert reply.finish_reason == "stop"
    assert reply.logprobs


def test_a_grammar_binds_the_reply(tiny: Asked) -> None:
    reply = tiny.ask(a_request(grammar='root ::= "<prompt>" [a-z ]+ "</prompt>"', max_tokens=30))
    assert reply.text.startswith("<prompt>")


def test_a_wrong_grammar_is_the_requests_fault(tiny: Asked) -> None:
    with pytest.raises(BadRequestError):
        tiny.ask(a_request(grammar="root ::= ("))


def test_a_question_longer_than_the_context_is_told_as_that(tiny: Asked) -> None:
    with pytest.raises(ContextOverflowError):
        tiny.ask(a_request("x" * 20_000))


def test_a_cancelled_call_makes_room_for_the_next(tiny: Asked) -> None:
    async def main() -> Reply:
        begun = asyncio.Event()
        call = asyncio.create_task(tiny.provider.complete(endless(), lambda _: begun.set()))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        # The one slot would be taken for half a minute.
        async with asyncio.timeout(8):
            return await tiny.provider.complete(a_request(), lambda _: None)

    assert tiny.run(main()).text == REPLY


def test_calls_that_exceed_the_slots_wait_in_line(tiny: Asked) -> None:
    async def main() -> list[Reply]:
        return await asyncio.gather(*(tiny.provider.complete(a_request(), lambda _: None) for _ in range(3)))

    assert [reply.text for reply in tiny._runner.run(main())] == [REPLY] * 3


def kill_server(provider: EmbeddedProvider) -> int:
    assert provider._sessions[False] is not None
    pid = provider._sessions[False].server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def test_a_server_that_dies_during_a_call_is_told_and_started_again(tmp_path: Path) -> None:
    async def main() -> None:
        provider = EmbeddedProvider(MODEL, store, tmp_path / "log")
        try:
            begun = asyncio.Event()
            call = asyncio.create_task(provider.complete(endless(), lambda _: begun.set()))
            await begun.wait()
            first = kill_server(provider)
            with pytest.raises(UnavailableError, match="was killed during a call"):
                await call
            assert (await provider.complete(a_request(), lambda _: None)).text == REPLY
            assert kill_server(provider) != first
            assert provider._sessions[False] is not None
            await provider._sessions[False].server.ended(within=10)
            # Between two calls, nobody needs to know.
            assert (await provider.complete(a_request(), lambda _: None)).text == REPLY
        finally:
            await provider.aclose()

    store = a_store(tmp_path)
    asyncio.run(main())


def refusal(store: ModelStore, log: Path) -> BadRequestError:
    async def main() -> None:
        provider = EmbeddedProvider(MODEL, store, log)
        try:
            await provider.complete(a_request(), lambda _: None)
        finally:
            await provider.aclose()

    with pytest.raises(BadRequestError) as caught:
        asyncio.run(main())
    return caught.value


def test_a_model_that_is_not_here_says_how_to_bring_it(tmp_path: Path) -> None:
    error = refusal(ModelStore(tmp_path), tmp_path / "log")
    assert "spotui models pull" in error.hint
    assert not (tmp_path / "log").exists()


def test_a_model_whose_bytes_changed_is_not_used(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with store.own_file(MODEL).open("r+b") as file:
        file.seek(1000)
        file.write(b"other")
    assert "has changed" in refusal(store, tmp_path / "log").what


def test_a_model_that_cannot_be_loaded_names_its_log(tmp_path: Path) -> None:
    store, file = ModelStore(tmp_path / "models"), tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    store.add(MODEL, file, sha256="", origin="a test")
    assert str(tmp_path / "log") in refusal(store, tmp_path / "log").hint
