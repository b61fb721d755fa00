"""A model's endpoint as a person types it, and its way to the process that tests and writes it."""

from typing import NamedTuple

from msgspec import structs

from spotui.errors import SpotuiError
from spotui.settings.kinds import KindError, ModelId, convert_text
from spotui.settings.schema import ModelConfig, PriceConfig
from spotui.tui.settings.defaults import text_of

_NAMES = {
    "model": "The model",
    "base_url": "The endpoint",
    "api_key_env": "The variable",
    "concurrency": "At once",
    "requests_per_minute": "Requests a minute",
    "tokens_per_minute": "Tokens a minute",
    "timeout": "The timeout",
    "input": "The price of the prompt",
    "output": "The price of the reply",
}
_KINDS = {
    "model": ModelId,
    **{field.name: field.type for field in (*structs.fields(ModelConfig), *structs.fields(PriceConfig))},
}


class FieldError(SpotuiError):
    """A field that holds something wrong.

    Args:
        field: Which one.
        what: What is wrong.
        mend: What to do about it.
    """

    def __init__(self, field: str, what: str, mend: str = "") -> None:
        super().__init__(what, mend)
        self.field = field


class Endpoint(NamedTuple):
    """What was typed; an empty text is the usual value.

    Attributes:
        model: The model's id.
        base_url: Its endpoint.
        api_key_env: The variable that holds its key.
        concurrency: Calls in flight; the others alike.
        requests_per_minute: See `concurrency`.
        tokens_per_minute: See `concurrency`.
        timeout: Seconds without a token.
        input: USD per million tokens of the prompt.
        output: USD per million tokens of the reply.
    """

    model: str = ""
    base_url: str = ""
    api_key_env: str = ""
    concurrency: str = ""
    requests_per_minute: str = ""
    tokens_per_minute: str = ""
    timeout: str = ""
    input: str = ""
    output: str = ""

    def words(self, *, has_key: bool) -> list[str]:
        """As words of the command line, which everybody on this machine can read: no key is among them.

        Args:
            has_key: Whether its key belongs into the keyring; a key that was typed goes another way.

        Raises:
            FieldError: A field holds something wrong, such as a key in place of a variable's name.
        """
        self._check()
        flags = {
            "--base-url": self.base_url,
            # A variable would win over the keyring, and the key that was typed would never be used.
            "--api-key-env": "" if has_key else self.api_key_env,
            "--concurrency": self.concurrency,
            "--requests-per-minute": self.requests_per_minute,
            "--tokens-per-minute": self.tokens_per_minute,
            "--timeout": self.timeout,
        }
        words = [f"{flag}={value}" for flag, value in flags.items() if value]
        if self.input:
            words += ["--price", self.input, self.output]
        if has_key:
            words.append("--keyring")
        return [*words, "--", self.model]

    def _check(self) -> None:
        for field, name in _NAMES.items():
            text = getattr(self, field)
            try:
                if text or field == "model":
                    convert_text(_KINDS[field], text)
            except KindError as error:
                raise FieldError(field, f"{name} {error.what}.", error.mend) from None
        if bool(self.input) != bool(self.output):
            missing = "output" if self.input else "input"
            raise FieldError(
                missing, "A price has two parts.", "Type what prompt and reply cost, or neither."
            )


def endpoint_of(model: str, entry: ModelConfig) -> Endpoint:
    """A model's entry as it is typed."""
    price = entry.price
    return Endpoint(
        model=model,
        base_url=entry.base_url or "",
        api_key_env=entry.api_key_env or "",
        concurrency=_text(entry.concurrency),
        requests_per_minute=_text(entry.requests_per_minute),
        tokens_per_minute=_text(entry.tokens_per_minute),
        timeout=_text(entry.timeout),
        input=_text(price.input) if price else "",
        output=_text(price.output) if price else "",
    )


def _text(value: object) -> str:
    return "" if value is None else text_of(value)
