"""What a provider's API for batches does, whoever's it is."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from spotui.domain.calls import Reply, Request
from spotui.llm.protocol import BadRequestError, ModelError
from spotui.llm.routing import Price

HALF: Final = 0.5
"""The price of a batch at the providers that say so, as a share of the usual price."""

_HALF_PRICED: Final = ("api.openai.com", ".openai.azure.com", "api.groq.com")
"""Hosts with OpenAI's batches whose operators name half of the usual price for them."""


def share_at(base_url: str) -> float:
    """The price of a batch at a server with OpenAI's batches, as a share of the usual price."""
    from urllib.parse import urlsplit

    return HALF if (urlsplit(base_url).hostname or "").endswith(_HALF_PRICED) else 1.0


class Limits(NamedTuple):
    """What a batch may hold at most.

    Attributes:
        calls: How many calls.
        size: Bytes of all requests together.
    """

    calls: int
    size: int


class Submitted(NamedTuple):
    """A batch that the provider has taken.

    Attributes:
        id: The provider's name of it.
        expires: When the provider gives it up at the latest, in seconds since 1970; 0 where that is unknown.
    """

    id: str
    expires: float = 0.0


class Progress(NamedTuple):
    """How far a batch is.

    Attributes:
        is_over: Whether nothing of it will be answered any more; its results can be read then.
        done: Calls with a result.
        failed: Those of them that brought an error.
        files: Where the results are, as `BatchApi.results` needs it.
        error: Why the provider refuses the whole batch; None where it does not.
    """

    is_over: bool
    done: int = 0
    failed: int = 0
    files: tuple[str, ...] = ()
    error: ModelError | None = None


Payload = Mapping[str, Any]
"""The result of one call, as its provider writes it."""


class ForgottenBatchError(BadRequestError):
    """The provider does not know a batch any more."""


class UncertainError(ModelError):
    """Whether the provider has a batch will be known only when one that looks like it has ended."""


class BatchApi(Protocol):
    """The batches of one model.

    Attributes:
        limits: What one batch may hold.
        share: The price of a call as a share of the usual one; 1 where the provider names no other.
    """

    limits: Limits
    share: float

    def obstacle(self, request: Request) -> str:
        """Why a request cannot be in a batch, in a few words; empty where it can."""
        ...

    def line(self, name: str, request: Request) -> bytes:
        """A request as the batch holds it.

        Args:
            name: Its name in the batch.
            request: With the contents of its files.
        """
        ...

    async def submit(self, token: str, lines: Sequence[bytes]) -> Submitted:
        """Hand a batch in.

        Args:
            token: Our name of it.
            lines: One a request.

        Raises:
            ModelError: It was refused; or, with a `RetryableError`, it may have been taken.
        """
        ...

    async def find(self, token: str, size: int, since: float, others: Collection[str]) -> Submitted | None:
        """The batch that was handed in with a token, or None.

        Args:
            token: Our name of it.
            size: The number of its calls.
            since: It was handed in after this, in seconds since 1970.
            others: Ids of batches that are known to be others.

        Raises:
            UncertainError: That cannot be seen yet.
            ModelError: The provider does not say.
        """
        ...

    async def look(self, batch: str) -> Progress:
        """How far a batch is.

        Raises:
            ForgottenBatchError: The provider does not know it.
            ModelError: The provider does not say.
        """
        ...

    def results(self, batch: str, progress: Progress) -> AsyncIterator[tuple[str, Payload]]:
        """The results of a batch that is over, in any order: names of calls, and what became of each.

        Raises:
            ModelError: They cannot be read to the end.
        """
        ...

    def read(self, request: Request, payload: Payload, seconds: float) -> Reply | None:
        """The reply in a result.

        Args:
            request: What was asked.
            payload: The result.
            seconds: From handing the batch in until now.

        Returns:
            The reply; None where the call was not answered and is to be sent again.

        Raises:
            ModelError: The provider refuses the request, or failed to answer it.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        ...


def shared_price(price: Price | None, share: float) -> Price | None:
    """A price in batches; one that is unknown stays unknown."""
    if price is None or share == 1:
        return price
    cached, written = price.cached, price.cache_write
    return Price(
        price.input * share,
        price.output * share,
        cached=None if cached is None else cached * share,
        cache_write=None if written is None else written * share,
    )
