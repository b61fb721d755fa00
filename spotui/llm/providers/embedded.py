"""A model that spotui runs itself: its server is started by the first call and ended with the provider."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.llm.local.files import ServerError
from spotui.llm.local.server import literal_text
from spotui.llm.local.store import ModelStore
from spotui.llm.protocol import BadRequestError, Delta, ModelError, OnDelta, RetryableError, UnavailableError
from spotui.llm.routing import Endpoint, Limits

if TYPE_CHECKING:
    from spotui.llm.local.server import LocalServer


_SLOTS: Final = 4

# A small model may repeat itself until its context is full, which takes half an hour on two cores.
_LONGEST_REPLY: Final = 1024

# A broken connection is seen a moment before the death that broke it.
_DEATH_SECONDS = 0.25


class EmbeddedProvider:
    """One local model for all roles that use it; for one event loop.

    Nothing is started, loaded or imported before the first call. A server that died is started again by the
    next call.

    Args:
        model_id: Such as `local/qwen2.5-coder-1.5b`.
        store: Where the model is.
        log: Where the runtime's own messages go.
        slots: Calls answered at once; more wait in line.
        timeout: Seconds without a token after which a call has timed out. A call that waits for a slot gets
            none, so this must cover the calls before it.
        ready_seconds: How long loading the model may take.
    """

    def __init__(
        self,
        model_id: str,
        store: ModelStore,
        log: Path,
        *,
        slots: int = _SLOTS,
        timeout: float = 600.0,
        ready_seconds: float = 120.0,
    ) -> None:
        self._model_id = model_id
        self._store = store
        self._log = log
        self._slots = slots
        self._timeout = timeout
        self._ready_seconds = ready_seconds
        self._starting = asyncio.Lock()
        self._sessions: dict[bool, _Session] = {}

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """Ask the model once; see `Provider.complete`. It costs nothing, and says so; it reads text only.

        A grammar made by `literal_grammar` is replaced by one of the model's own tokens, so that the
        log-probabilities are those of the answer as the model would write it. Any other reply ends after
        1,024 tokens at most, unless the request gives another limit.

        Raises:
            BadRequestError: The model is not on this machine, or its server cannot serve it.
            UnavailableError: The server died; the next call starts it again.
            ModelError: As an OpenAI-compatible endpoint raises it.
        """
        if any(one.files for one in request.messages):
            raise BadRequestError(
                _("{model_id} reads text only, and a question comes with a file.", model_id=self._model_id),
                _("Choose a hosted model that reads images for the executor."),
            )
        session = await self._running(embeds=request.embed)
        began = False

        def note(delta: Delta) -> None:
            nonlocal began
            began = True
            on_delta(delta)

        try:
            reply = await session.complete(request, note)
        except RetryableError as error:
            await self._explain_death(session, error)
            if began or not isinstance(error, UnavailableError):
                raise
            # llama.cpp closes its connection after a streamed reply without announcing it. A call that was
            # sent at that moment has not been read, so it is simply sent again.
            reply = await session.complete(request, on_delta)
        return msgspec.structs.replace(reply, cost_usd=0.0)

    async def aclose(self) -> None:
        """End the server and close its connections; safe to call twice."""
        async with self._starting:
            for session in tuple(self._sessions.values()):
                await self._forget(session)

    async def _running(self, *, embeds: bool) -> "_Session":
        """A server of either kind; one for embeddings has other settings, and is seldom wanted."""
        async with self._starting:
            session = self._sessions.get(embeds)
            if session is None or session.server.pid is None:
                if session is not None:
                    await self._forget(session)
                session = self._sessions[embeds] = await self._start(embeds=embeds)
            return session

    async def _start(self, *, embeds: bool) -> "_Session":
        from spotui.llm.local.server import LocalServer

        try:
            path = await self._store.checked_path(self._model_id)
            log = self._log.with_suffix(".embeddings.log") if embeds else self._log
            server = LocalServer(
                path, log, slots=self._slots, ready_seconds=self._ready_seconds, embeds=embeds
            )
            await server.start()
        except SpotuiError as error:
            transient = isinstance(error, ServerError) and error.transient
            kind: type[ModelError] = UnavailableError if transient else BadRequestError
            raise kind(error.what, error.hint) from error
        endpoint = Endpoint(
            model=self._model_id,
            base_url=f"{server.address}/v1",
            api_key=server.api_key,
            timeout=self._timeout,
            limits=Limits(concurrency=self._slots),
        )
        return _Session(server, endpoint)

    async def _explain_death(self, session: "_Session", error: ModelError) -> None:
        death = await session.server.ended(within=_DEATH_SECONDS)
        if death is not None:
            await self._forget(session)
            raise UnavailableError(death.what, death.hint) from error

    async def _forget(self, session: "_Session") -> None:
        for kind in [kind for kind, known in self._sessions.items() if known is session]:
            del self._sessions[kind]
        await session.aclose()


class _Session:
    """A running server and the connections to it."""

    def __init__(self, server: "LocalServer", endpoint: Endpoint) -> None:
        from spotui.llm.providers.http import HttpPool
        from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider

        self.server = server
        self._chat = OpenAICompatibleProvider(endpoint)
        self._root = HttpPool(msgspec.structs.replace(endpoint, base_url=server.address))

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        from spotui.llm.local.server import token_grammar

        answer = literal_text(request.grammar) if request.grammar and request.logprobs else None
        if answer is not None:
            request = msgspec.structs.replace(
                request, grammar=await token_grammar(self._root, answer) or request.grammar
            )
        elif request.max_tokens is None:
            request = msgspec.structs.replace(request, max_tokens=_LONGEST_REPLY)
        return await self._chat.complete(request, on_delta)

    async def aclose(self) -> None:
        await self.server.stop()
        await self._chat.aclose()
        await self._root.aclose()
