"""What can go wrong at a model's endpoint, by kind; only the retryable ones are tried again."""

from spotui.errors import SpotuiError


class ModelError(SpotuiError):
    """A model call that brought no usable reply."""


class AuthenticationError(ModelError):
    """The endpoint does not accept the key, or the account behind it may not use the model."""


class BadRequestError(ModelError):
    """The endpoint understood the request and refuses it: unknown model, unknown parameter, spent quota."""


class RequestRefusedError(BadRequestError):
    """The endpoint refuses what this request holds; it may well answer another one.

    Attributes:
        heard: Bytes of a reply that came before the refusal.
    """

    heard = 0


class ContextOverflowError(RequestRefusedError):
    """The request is longer than the model's context window."""


class ContentFilteredError(RequestRefusedError):
    """The endpoint's content filter stops the request or its reply."""


class OversizedReplyError(RequestRefusedError):
    """The endpoint sends more than a reply can hold."""


class RetryableError(ModelError):
    """A failure that another try may mend.

    Args:
        what: What happened and where.
        mend: What to do about it.
        retry_after: Seconds the endpoint asked to wait, or None when it did not say.
    """

    def __init__(self, what: str, mend: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(what, mend)
        self.retry_after = retry_after


class RateLimitedError(RetryableError):
    """The endpoint asks to slow down."""


class UnavailableError(RetryableError):
    """The endpoint cannot be reached, or answers with a server error."""


class TimedOutError(RetryableError):
    """The endpoint was sent a request, and did not answer it within the time limits."""


class MalformedReplyError(RetryableError):
    """The endpoint answered with something that is not a complete chat completion."""
