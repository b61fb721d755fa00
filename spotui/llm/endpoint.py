"""Where a model is reached and what may be asked of it there."""

import msgspec

from spotui.secret import Secret


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How hard an endpoint may be pressed.

    Attributes:
        concurrency: Calls in flight at once, at least 1.
        requests_per_minute: Or None for no limit.
        tokens_per_minute: Prompt and completion together, or None for no limit.
    """

    concurrency: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """USD per million tokens.

    Attributes:
        input: Of the prompt.
        output: Of the completion.
        cached: Of the part of the prompt that the endpoint read from its cache; None for the same as input.
        cache_write: Of the part that it wrote into its cache; None for the same as input.
    """

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None

    def cost(
        self,
        prompt_tokens: int,
        completion_tokens: int,
        *,
        cached_tokens: int = 0,
        cache_write_tokens: int = 0,
    ) -> float:
        """USD for one call.

        Args:
            prompt_tokens: All of the prompt.
            completion_tokens: All of the completion.
            cached_tokens: The part of the prompt that came from the cache.
            cache_write_tokens: The part of the prompt that went into the cache.
        """
        usd = prompt_tokens * self.input + completion_tokens * self.output
        if self.cached is not None:
            usd += cached_tokens * (self.cached - self.input)
        if self.cache_write is not None:
            usd += cache_write_tokens * (self.cache_write - self.input)
        return usd / 1_000_000


class Endpoint(msgspec.Struct, frozen=True):
    """One model's place in the world, with everything resolved.

    Attributes:
        model: The model id as the user wrote it.
        base_url: The OpenAI-compatible root, such as `http://localhost:8000/v1`; None where litellm or the
            embedded model knows the way.
        api_key: The key, or None when none is configured.
        key_hint: What to do where the endpoint asks for a key, if that is not to set one.
        timeout: Seconds without a token after which a call has timed out.
        first_token_timeout: Seconds to the first token, or None for `timeout`.
        call_timeout: Seconds for a whole call, or None for no limit.
        limits: Concurrency and rates.
        price: The user's own price, or None to look it up.
    """

    model: str
    base_url: str | None = None
    api_key: Secret | None = None
    timeout: float = 120.0
    first_token_timeout: float | None = None
    call_timeout: float | None = None
    limits: Limits = Limits()
    price: Price | None = None
    key_hint: str = ""

    @property
    def silence(self) -> float:
        """Seconds that a connection may bring no byte at all."""
        return max(self.timeout, self.first_token_timeout or 0.0)
