"""A model that is ready to be asked: its provider, with the limits and the price of its endpoint."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.secret import Secret, redacted
from spotui.llm.limits import Limiter
from spotui.llm.options import with_values
from spotui.llm.protocol import Delta, OnDelta, Provider
from spotui.llm.retry import CallClock, CutShortError
from spotui.llm.routing import Endpoint, Price

if TYPE_CHECKING:
    from spotui.llm.batches.api import BatchApi


class Connection:
    """A provider with what belongs to its endpoint.

    Args:
        endpoint: Where the model is.
        provider: What asks it.
        limiter: Shared by every model of that endpoint.
        find_price: Looks a price up when the user gave none; may read a large file.
        takes_grammar: Whether replies can be bound by a GBNF grammar.
        secrets: Keys that the endpoint may know beside its own; none of them is left in a reply.
        find_batches: Makes what sends calls as batches; None where the endpoint has none that we know.

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
        find_batches: "Callable[[], BatchApi | None]" = lambda: None,
    ) -> None:
        own = () if endpoint.api_key is None else (endpoint.api_key,)
        self.secrets = (*own, *endpoint.values.values(), *secrets)
        self.endpoint = endpoint
        self.provider = provider
        self.limiter = limiter
        self.takes_grammar = takes_grammar
        self._answered = False
        self._asking = 0
        self._changed = asyncio.Event()
        self._find_price = find_price
        self._price: asyncio.Task[Price | None] | None = None
        self._find_batches = find_batches
        self._batches: tuple[BatchApi | None] | None = None

    @property
    def batches(self) -> "BatchApi | None":
        """What sends calls as batches; None where the endpoint has none that we know.

        Raises:
            ModelError: The endpoint cannot be asked at all.
        """
        if self._batches is None:
            self._batches = (self._find_batches(),)
        return self._batches[0]

    async def aclose(self) -> None:
        """Close the provider, and what sends batches; safe to call twice."""
        try:
            if self._batches is not None and self._batches[0] is not None:
                await self._batches[0].aclose()
        finally:
            await self.provider.aclose()

    async def complete(self, request: Request, on_delta: OnDelta, clock: CallClock | None = None) -> Reply:
        """Ask the model once, within the time limits of its endpoint; see `Provider.complete`.

        The reply holds no key; its pieces may, so whoever shows them has to redact them. A reply that the
        clock ended because it is in a loop is what came until then.

        Args:
            request: What to ask.
            on_delta: Called for every piece as it arrives.
            clock: Keeps the time; a new one when None.

        Raises:
            ModelError: One of its kinds.
            CutShortError: The clock ended the call.
        """
        clock = clock or CallClock(self.endpoint)
        options = with_values(request.options, self.endpoint.values)
        if options != request.options:  # only what is sent holds a value; all that is kept has its name
            request = msgspec.structs.replace(request, options=options)

        def note(delta: Delta) -> None:
            clock.progress(delta)
            on_delta(delta)

        started = perf_counter()
        try:
            async with clock.running():
                reply = await self.provider.complete(request, note)
        except CutShortError:
            if clock.loops is None or not clock.loops.found:
                raise
            reply = clock.loops.reply(request, started)
        return self._without_keys(reply)

    def _without_keys(self, reply: Reply) -> Reply:
        if not self.secrets:
            return reply
        said = {name: getattr(reply, name) for name in ("text", "reasoning", "refusal", "trace")}
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
        """USD per million tokens, or None when it is unknown; looked up once, off the event loop."""
        if self.endpoint.price is not None:
            return self.endpoint.price
        if self._price is None:
            self._price = asyncio.create_task(asyncio.to_thread(self._find_price))
        return await asyncio.shield(self._price)


@runtime_checkable
class Talkative(Protocol):
    """A provider that says something beside its replies, as programs do."""

    def listen(self, tell: Callable[[str], None]) -> None:
        """Have each line told from now on."""
        ...


class Connections:
    """Every model of a run, connected when first asked for.

    Args:
        connect: Makes the connection of a model id.
    """

    def __init__(self, connect: Callable[[str], Connection]) -> None:
        self._connect = connect
        self._open: dict[str, Connection] = {}
        self._concurrency: int | None = None
        self._tell: Callable[[str], None] = lambda _: None

    def listen(self, tell: Callable[[str], None]) -> None:
        """Have told what providers say beside their replies, now and for models yet to be asked."""
        self._tell = tell
        for connection in self._open.values():
            self._let_tell(connection)

    def to(self, model: str) -> Connection:
        """The connection of a model.

        Raises:
            SpotuiError: The model id leads nowhere, or its key is missing.
        """
        if model not in self._open:
            self._open[model] = self._connect(model)
            self._let_tell(self._open[model])
            if self._concurrency is not None:
                self._open[model].limiter.concurrency = self._concurrency
        return self._open[model]

    def _let_tell(self, connection: Connection) -> None:
        if isinstance(connection.provider, Talkative):
            connection.provider.listen(self._tell)

    async def prices(self, models: Iterable[str]) -> dict[str, Price | None]:
        """USD per million tokens of each model, None where it is unknown."""
        names = sorted(set(models))
        return dict(zip(names, await asyncio.gather(*[self.to(name).price() for name in names]), strict=True))

    @property
    def secrets(self) -> list[Secret]:
        """Every key that an endpoint of this run may know."""
        return [secret for connection in self._open.values() for secret in connection.secrets]

    def set_concurrency(self, calls: int) -> None:
        """Change how many calls may be in flight at each endpoint, now and for models yet to be asked."""
        self._concurrency = calls
        for connection in self._open.values():
            connection.limiter.concurrency = calls

    async def aclose(self) -> None:
        """Close every provider, even when one of them fails to; safe to call twice."""
        async with AsyncExitStack() as closing:
            for connection in self._open.values():
                closing.push_async_callback(connection.aclose)
