"""The server: a thread with its own event loop, on a free port of 127.0.0.1."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.model_server.batches import Batches, Batching
from tests.model_server.embedding import embedded
from tests.model_server.exchange import Exchange
from tests.model_server.faults import FaultPlan
from tests.model_server.records import Recorded, RequestLog
from tests.model_server.scripted import JsonObject, ReplyFunction, Scripted, conversation

_WORDS = (
    *("answer", "because", "between", "careful", "draft", "each", "final", "given", "however", "model"),
    *("never", "only", "plain", "question", "reason", "short", "simple", "step", "task", "write"),
)


def hashed_reply(request: JsonObject) -> str:
    """A sentence of forty words that depends on the messages and on nothing else."""
    digest = sha256(conversation(request).encode()).digest()
    words = [_WORDS[digest[n % 32] % len(_WORDS)] for n in range(39)]
    return " ".join([digest.hex()[:8], *words])


class ModelServer:
    """An OpenAI-compatible server that stands for a paid model.

    Args:
        reply: What to answer to a request; called on the server's thread.
        delay: Seconds before the first byte of every reply.
        pause: Seconds between two pieces; 0 sends a reply in one go.
        chunks: Pieces a text is streamed in; None for five, and for two where nobody can tell them apart.
        faults: What goes wrong, by request number (the first is 1) or by a function of number and request.
        models: The ids that `/models` lists, or an object to list in their place.
        api_key: The only key accepted, or None to accept everything.
        port: 0 for a free one.
        log: A file for the JSON lines of `RequestLog`.
        batching: How batches are treated.

    Attributes:
        connections: Those open now.
        connections_accepted: How many there have been.
    """

    def __init__(
        self,
        reply: ReplyFunction = hashed_reply,
        *,
        delay: float = 0.0,
        pause: float = 0.0,
        chunks: int | None = None,
        faults: FaultPlan | None = None,
        models: tuple[str, ...] | JsonObject = ("test-model",),
        api_key: str | None = None,
        port: int = 0,
        log: Path | None = None,
        batching: Batching | None = None,
    ) -> None:
        self.delay = delay
        self.pause = pause
        self.chunks = chunks
        self.models = [{"id": name} for name in models] if isinstance(models, tuple) else models
        self.connections: set[Exchange] = set()
        self.connections_accepted = 0
        self.log = RequestLog(log)
        self.batches = Batches(batching or Batching(), self._answer_row)
        self.base_url = ""
        self._reply = reply
        self._faults = {} if faults is None else faults
        self._key = api_key
        self._port = port
        self._failure: Exception | None = None
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="model server", daemon=True)

    @property
    def requests(self) -> list[Recorded]:
        """Every request for a completion, oldest first."""
        return self.log.requests

    @property
    def peak_open(self) -> int:
        """The most requests that were open at once."""
        return self.log.peak_open

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def wait_until(self, condition: Callable[[], bool], *, seconds: float = 120.0) -> None:
        """Wait for the server's thread to have seen something; from a thread that runs no event loop."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds} seconds")
            time.sleep(0.002)

    def accepts(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether the key stands where this path wants it."""
        if self._key is None or ("/messages" in path and headers.get("x-api-key") == self._key):
            return True
        return headers.get("authorization") == f"Bearer {self._key}"

    def answer(self, request: Recorded) -> Scripted:
        """The reply function's answer, with the planned fault; an embedding is a bag of words."""
        plan = self._faults
        reply = embedded(request.json) if "input" in request.json else self._reply(request.json)
        fault = plan(request.number, request.json) if callable(plan) else plan.get(request.number)
        scripted = Scripted(text=reply) if isinstance(reply, str) else reply
        return scripted if fault is None else fault(scripted)

    def _answer_row(
        self, target: str, request: JsonObject, headers: Mapping[str, str]
    ) -> tuple[int, Scripted]:
        """The reply to a row of a batch, which is bought with that."""
        recorded = self.log.received(target, request, headers)
        recorded.status = 200
        self.log.ended(recorded, "completed")
        return recorded.number, self.answer(recorded)

    def _note_failure(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a reply function raises breaks its connection, and is raised again at the end of the test."""
        self._failure = self._failure or context.get("exception") or RuntimeError(context["message"])

    async def _drop_connections(self) -> None:
        accepting = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*accepting, return_exceptions=True)
        for connection in tuple(self.connections):
            connection.abort()
        await asyncio.sleep(0)  # in which the loop closes their sockets

    def _run(self) -> None:
        loop = self._loop
        loop.set_exception_handler(self._note_failure)
        try:
            listening = loop.create_server(lambda: Exchange(self), "127.0.0.1", self._port, backlog=512)
            server = loop.run_until_complete(listening)
            self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        except OSError as error:
            self._failure = error
        else:
            self._ready.set()
            loop.run_forever()
            server.close()
            loop.run_until_complete(self._drop_connections())
        finally:
            self._ready.set()
            self.log.close()
            loop.close()
