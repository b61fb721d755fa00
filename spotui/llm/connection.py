"""One model, ready to be asked: its provider, its limits, its price."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager

import msgspec

from spotui.llm.clock import CallClock
from spotui.llm.endpoint import Endpoint, Price
from spotui.llm.limiter import Limiter
from spotui.llm.protocol import Delta, OnDelta, Provider, Reply, Request
from spotui.secret import Secret, redacted


class Connection:
    """A provider with what belongs to its endpoint.

    Args:
        endpoint: Where the model is.
        provider: What asks it.
        limiter: Shared by every model of that endpoint.
        find_price: Looks a price up when the user gave none; may read a large file.
        takes_grammar: Whether replies can be bound by a GBNF grammar.
        secrets: Keys that the endpoint may know beside its own; none of them is left in a reply.

    Attributes:
        secrets: Every key that the endpoint may know.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        provider: Provider,
        limiter: Limiter,
        *,
        find_price: Callable[[], Price | None] = lambda: None,
        takes_grammar: bool = False,
        secrets: Iterable[Secret] = (),
    ) -> None:
        own = () if endpoint.api_key is None else (endpoint.api_key,)
        self.secrets = (*own, *secrets)
        self.endpoint = endpoint
        self.provider = provider
        self.limiter = limiter
        self.takes_grammar = takes_grammar
        self._answered = False
        self._asking = 0
        self._changed = asyncio.Event()
        self._find_price = find_price
        self._price: asyncio.Task[Price | None] | None = None

    async def complete(self, request: Request, on_delta: OnDelta, clock: CallClock | None = None) -> Reply:
        """Ask the model once, within the time limits of its endpoint; see `Provider.complete`.

        The reply holds no key; its pieces may, so whoever shows them has to redact them.

        Args:
            request: What to ask.
            on_delta: Called for every piece as it arrives.
            clock: Keeps the time; a new one when None.

        Raises:
            ModelError: One of its kinds.
            CutShortError: The clock was told to end the call.
        """
        clock = clock or CallClock(self.endpoint)

        def note(delta: Delta) -> None:
            clock.progress(delta)
            on_delta(delta)

        async with clock.running():
            return self._without_keys(await self.provider.complete(request, note))

    def _without_keys(self, reply: Reply) -> Reply:
        if not self.secrets:
            return reply
        said = {name: getattr(reply, name) for name in ("text", "reasoning", "refusal")}
        clean = {name: redacted(text, self.secrets) for name, text in said.items()}
        return reply if clean == said else msgspec.structs.replace(reply, **clean)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """The time of one call, with all of its tries; without an error, the model has answered."""
        self._asking += 1
        try:
            yield
            self._answered = True
        finally:
            self._asking -= 1
            self._changed.set()

    async def answers_others(self) -> bool:
        """Whether the model answers other requests than one it has refused; waits for those under way."""
        while self._asking and not self._answered:
            self._changed.clear()
            await self._changed.wait()
        return self._answered

    async def price(self) -> Price | None:
        """USD per million tokens, or None when nobody knows; looked up once, off the event loop."""
        if self.endpoint.price is not None:
            return self.endpoint.price
        if self._price is None:
            self._price = asyncio.create_task(asyncio.to_thread(self._find_price))
        return await asyncio.shield(self._price)


class Connections:
    """Every model of a run, connected when first asked for.

    Args:
        connect: Makes the connection of a model id.
    """

    def __init__(self, connect: Callable[[str], Connection]) -> None:
        self._connect = connect
        self._open: dict[str, Connection] = {}
        self._concurrency: int | None = None

    def to(self, model: str) -> Connection:
        """The connection of a model.

        Raises:
            SpotuiError: The model id leads nowhere, or its key is missing.
        """
        if model not in self._open:
            self._open[model] = self._connect(model)
            if self._concurrency is not None:
                self._open[model].limiter.concurrency = self._concurrency
        return self._open[model]

    async def prices(self, models: Iterable[str]) -> dict[str, Price | None]:
        """USD per million tokens of each model, None where nobody knows."""
        names = sorted(set(models))
        return dict(zip(names, await asyncio.gather(*[self.to(name).price() for name in names]), strict=True))

    def set_concurrency(self, calls: int) -> None:
        """Change how many calls may be in flight at each endpoint, now and for models yet to be asked."""
        self._concurrency = calls
        for connection in self._open.values():
            connection.limiter.concurrency = calls

    async def aclose(self) -> None:
        """Close every provider, even when one of them fails to; safe to call twice."""
        async with AsyncExitStack() as closing:
            for connection in self._open.values():
                closing.push_async_callback(connection.provider.aclose)
