"""Asking a model one short question, to see whether it can be used."""

import asyncio
import os
import time
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.errors import SpotuiError
from spotui.launch import Launcher
from spotui.llm.endpoint import Price
from spotui.secret import Secret
from spotui.settings import Flags, ModelConfig

if TYPE_CHECKING:
    from spotui.llm.connection import Connection

_QUESTION: Final = "Reply with the single word: ready"
_TYPED: Final = "TYPED_JUST_NOW"


class NoAnswerError(SpotuiError):
    """The model replied without an answer."""


class Probe(msgspec.Struct, frozen=True):
    """What a model said.

    Attributes:
        model: Its id.
        reply: Its answer, on one line.
        seconds: From the question to the end of the answer.
        is_priced: Whether it is known what a call costs.
        price: USD per million tokens; None when nobody knows, or the endpoint tells it with each reply.
    """

    model: str
    reply: str
    seconds: float
    is_priced: bool
    price: Price | None


def probe(
    model: str,
    *,
    base_url: str | None = None,
    entry: ModelConfig | None = None,
    key: Secret | None = None,
    embed: bool = False,
) -> Probe:
    """Ask a model one short question.

    Args:
        model: Its id.
        base_url: An endpoint for this question alone.
        entry: What would stand in the config file; None for what stands there.
        key: A key that is stored nowhere yet, for an entry that takes its key from the keyring.
        embed: Whether the question is its embedding.

    Raises:
        SettingsError: The id names nothing, or its endpoint needs a key.
        ModelError: It did not answer.
        NoAnswerError: Its reply holds no answer, and why.
    """
    environ = dict(os.environ)
    if entry is not None and key is not None and not environ.get(entry.api_key_env or ""):
        entry = msgspec.structs.replace(entry, api_key_env=_TYPED, api_key_keyring=False)
        environ[_TYPED] = key.reveal()
    launcher = Launcher(environ)
    if entry is not None:
        config = launcher.config.config
        changed = msgspec.structs.replace(config, models={**config.models, model: entry})
        launcher.config = msgspec.structs.replace(launcher.config, config=changed)
    settings = launcher.settings(Flags(model=model, base_url=base_url)).settings
    return asyncio.run(_ask(model, launcher.connector(settings).connect(model), embed=embed))


async def _ask(model: str, connection: "Connection", *, embed: bool) -> Probe:
    from spotui.llm.missing_answer import hint_for_missing, lacks_answer, why_missing
    from spotui.llm.protocol import Message, Request
    from spotui.llm.vectors import unpack

    temperature = None if embed else 0.0
    request = Request(model, (Message("user", _QUESTION),), temperature=temperature, embed=embed)
    began = time.perf_counter()
    try:
        reply = await connection.complete(request, lambda _: None)
        seconds = time.perf_counter() - began
        price = await connection.price()
    finally:
        await connection.provider.aclose()
    if not embed and lacks_answer(reply):
        raise NoAnswerError(f"{model}: {why_missing(reply)}", hint_for_missing(reply))
    is_priced = price is not None or reply.cost_usd is not None
    said = f"a vector of {len(unpack(reply.vector))}" if embed else " ".join(reply.text.split())
    return Probe(model, said, seconds, is_priced, price)
