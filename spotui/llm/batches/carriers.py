"""The providers whose batches litellm carries, what each of them needs, and those that it cannot carry."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from spotui.domain.secret import Secret
from spotui.lang import N_, _
from spotui.llm.batches.api import HALF, Limits
from spotui.llm.pricing import guess_provider
from spotui.llm.protocol import AuthenticationError, BadRequestError, ModelError
from spotui.llm.providers.litellm_provider import GOOGLE_CLOUD
from spotui.llm.routing import Route

OPENAI_LIMITS: Final = Limits(calls=50_000, size=200_000_000)
"""OpenAI's, which are below those of the others."""


class Carrier(NamedTuple):
    """What is particular about a provider's batches over litellm.

    Attributes:
        name: The provider, as people write it.
        share: The price of a call as a share of the usual one.
        limits: What one batch may hold.
        hours: After which the provider gives a batch up, where its answers do not say when; 0 where unknown.
        release: The first release of litellm that carries them, as its first two numbers.
        keys: Variables with the key, the first that is set wins; none where litellm has other ways.
        address: The variable with another address, and the address that it stands for.
        needed: Variables one of which must be set besides the key, with an example.
        families: What the names of its models begin with; empty for all.
    """

    name: str
    share: float = HALF
    limits: Limits = OPENAI_LIMITS
    hours: float = 0.0
    release: tuple[int, int] = (1, 84)
    keys: tuple[str, ...] = ()
    address: tuple[str, str] = ("", "")
    needed: tuple[tuple[str, ...], str] = ((), "")
    families: tuple[str, ...] = ()


_MISTRAL: Final = ("MISTRAL_API_BASE", "https://api.mistral.ai")
_GEMINI: Final = ("GEMINI_API_BASE", "https://generativelanguage.googleapis.com")
_XAI: Final = ("XAI_API_BASE", "https://api.x.ai")
_BUCKET: Final = (("GCS_BATCH_BUCKET_NAME", "GCS_BUCKET_NAME"), "my-bucket")

CARRIERS: Final[Mapping[str, Carrier]] = MappingProxyType(
    {
        "azure": Carrier("Azure"),
        "gemini": Carrier(
            "Gemini",
            hours=48,
            release=(1, 110),
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
            address=_GEMINI,
        ),
        "mistral": Carrier(
            "Mistral", hours=24, release=(1, 110), keys=("MISTRAL_API_KEY",), address=_MISTRAL
        ),
        "vertex_ai": Carrier("Vertex AI", release=(1, 110), needed=_BUCKET, families=("gemini-", "claude-")),
        # It lowers prices by a fifth to a half, depending on the model.
        "xai": Carrier("xAI", share=0.8, release=(1, 110), keys=("XAI_API_KEY",), address=_XAI),
    }
)
"""By the first part of model ids."""

_SERVERS: Final = MappingProxyType(
    {
        "hosted_vllm": ("HOSTED_VLLM_API_BASE", "HOSTED_VLLM_API_KEY"),
        "litellm_proxy": ("LITELLM_PROXY_API_BASE", "LITELLM_PROXY_API_KEY"),
    }
)
"""Servers with OpenAI's batches that litellm reaches by variables: an address and a key."""

_REFUSED: Final = MappingProxyType(
    {
        "bedrock": N_(
            "litellm hands Bedrock's results back in a form that differs with each model's maker, and has no "
            "list of its batches, so that a submission that broke off could be paid for twice"
        ),
    }
)
"""Why batches that litellm has are not used, by the first part of model ids."""


def provider_of(model: str, environ: Mapping[str, str]) -> str:
    """The provider that litellm asks for a model; empty where it is unknown."""
    provider, slash, _name = model.partition("/")
    guessed = provider if slash else guess_provider(model) or ""
    is_cloud = not slash and guessed == "gemini" and any(map(environ.get, GOOGLE_CLOUD))
    return "vertex_ai" if is_cloud else guessed


def served(to: Route, environ: Mapping[str, str]) -> Route:
    """The way to the batches of a model: a server of the user's with OpenAI's batches needs no litellm."""
    software, _slash, name = to.wire_model.partition("/")
    address, key = _SERVERS.get(software, ("", ""))
    if not (url := environ.get(address, "").strip()):
        return to
    exported = environ.get(key, "").strip()
    api_key = to.endpoint.api_key or (Secret(exported) if exported else None)
    endpoint = msgspec.structs.replace(to.endpoint, base_url=url, api_key=api_key)
    return Route("openai_compatible", endpoint, name)


def share_of(model: str, environ: Mapping[str, str]) -> float | None:
    """The price of a model's calls in a batch over litellm, as a share of the usual one; None without."""
    carrier = CARRIERS.get(provider_of(model, environ))
    return None if carrier is None or refusal(model, environ) is not None else carrier.share


def refusal(model: str, environ: Mapping[str, str]) -> ModelError | None:
    """Why the batches of a model's provider, which litellm has, cannot be used; None where they can.

    Args:
        model: The model id.
        environ: The environment, for what a provider needs besides a key.
    """
    provider = provider_of(model, environ)
    hint = _("Run without --batch, or name only roles of other models in it.")
    if (why := _REFUSED.get(provider)) is not None:
        return BadRequestError(_("{model} cannot be in batches: {why}.", model=model, why=_(why)), hint)
    carrier = CARRIERS.get(provider)
    if carrier is None:
        return None
    name = model.partition("/")[2] or model
    if carrier.families and not name.startswith(carrier.families):
        why = _(
            "on {provider}, litellm carries batches of models named {names} alone",
            provider=carrier.name,
            names=" or ".join(f"{one}…" for one in carrier.families),
        )
        return BadRequestError(_("{model} cannot be in batches: {why}.", model=model, why=why), hint)
    installed = _installed()
    if installed < carrier.release:
        least = ".".join(map(str, carrier.release))
        return BadRequestError(
            _(
                "Batches of {provider} need litellm {least} or later, and {installed} is installed.",
                provider=carrier.name,
                least=least,
                installed=".".join(map(str, installed)),
            ),
            _("Upgrade it: pip install 'litellm>={least}'; or run without --batch.", least=least),
        )
    names, example = carrier.needed
    if names and not any(environ.get(one, "").strip() for one in names):
        return BadRequestError(
            _(
                "Batches of {provider} go through a bucket, and {names} is not set.",
                provider=carrier.name,
                names=" or ".join(names),
            ),
            _(
                "Set it to a bucket that your account may write to: export {name}={example}; or run without "
                "--batch.",
                name=names[0],
                example=example,
            ),
        )
    return None


def key_of(model: str, carrier: Carrier, configured: Secret | None, environ: Mapping[str, str]) -> Secret:
    """The key for a provider's batches.

    Args:
        model: The model id.
        carrier: Its provider.
        configured: The key of the model's endpoint, which wins.
        environ: The environment.

    Raises:
        AuthenticationError: There is none.
    """
    if configured is not None:
        return configured
    for name in carrier.keys:
        if key := environ.get(name, "").strip():
            return Secret(key)
    names = " or ".join(carrier.keys)
    raise AuthenticationError(
        _("{model} needs a key, and {names} is not set.", model=model, names=names),
        _("Set it: export {missing}=…", missing=carrier.keys[-1]),
    )


def _installed() -> tuple[int, ...]:
    """The first two numbers of litellm's release."""
    try:
        numbers = version("litellm").split(".")[:2]
        return tuple(int(one) for one in numbers)
    except (PackageNotFoundError, ValueError):
        return (0, 0)
