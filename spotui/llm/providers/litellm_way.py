"""Which of litellm's providers serves a model id, and whether there is a key for it; no network."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from spotui.llm.endpoint import Endpoint
from spotui.llm.errors import AuthenticationError
from spotui.llm.litellm_files import OPENAI_LIKE_PROVIDERS, litellm_path
from spotui.llm.pricing import guess_provider
from spotui.secret import Secret

_SHORTEST_SECRET: Final = 8
_SECRET_NAME: Final = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)$")
_KEY_NAME: Final = re.compile(r"(?:_KEY|_TOKEN)$")

# Where a provider's key stands under a name that does not begin like the provider's own.
_OTHER_KEYS: Final = {"huggingface": "HF_TOKEN", "volcengine": "ARK_API_KEY", "gemini": "GOOGLE_API_KEY"}
_STEM: Final = 6

_GOOGLE_CLOUD: Final = ("VERTEX", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT")

# Clients refuse to start without any key; servers that want none do not look at it.
_NO_KEY: Final = Secret("none")


class Way(NamedTuple):
    """The way to a model through litellm.

    Attributes:
        model: The model id as the user wrote it.
        litellm_id: The same with its provider's prefix, where litellm needs one.
        provider: The provider's name.
        api_key: The key to pass on, or None when litellm finds it by itself.
        has_key: Whether any key is known.
    """

    model: str
    litellm_id: str
    provider: str
    api_key: Secret | None
    has_key: bool


def find_way(litellm: Any, model: str, endpoint: Endpoint) -> Way | None:
    """The way to a model, or None when its provider is unknown.

    Args:
        litellm: The module.
        model: The model id as the user wrote it.
        endpoint: Its key and base URL.

    Raises:
        AuthenticationError: Its provider needs a key, and there is none.
    """
    litellm_id, provider = model, _provider(litellm, model)
    # litellm sends Google's ids to its cloud platform; with nothing set up for that, a key is meant.
    if (
        provider == "vertex_ai"
        and model.startswith("gemini-")
        and not any(map(os.environ.get, _GOOGLE_CLOUD))
    ):
        provider = None
    if provider is None:
        # Families are known beyond litellm's list: a model that is newer than it, or one it has retired.
        provider = None if "/" in model else guess_provider(model)
        litellm_id = f"{provider}/{model}"
    if provider is None:
        return None
    has_key = endpoint.api_key is not None or _has_key(provider)
    missing = [] if has_key else _missing_keys(litellm, litellm_id, provider)
    if missing and endpoint.base_url is None:
        names = " or ".join(missing)
        raise AuthenticationError(
            f"{model} needs a key, and {names} is not set.", f"Set it: export {missing[-1]}=…"
        )
    return Way(model, litellm_id, provider, endpoint.api_key or (_NO_KEY if missing else None), has_key)


def secrets_of(api_key: Secret | None, environ: Mapping[str, str] = os.environ) -> Iterator[Secret]:
    """Whatever must not be repeated: the key in use, and every key in the environment."""
    if api_key is not None and api_key is not _NO_KEY:
        yield api_key
    values = {value for name, value in environ.items() if _SECRET_NAME.search(name)}
    # The longest first, lest a short one leave the rest of a long one standing.
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST_SECRET:
            yield Secret(value)


def _provider(litellm: Any, model: str) -> str | None:
    try:
        return str(litellm.get_llm_provider(model=model)[1])
    except litellm.BadRequestError:
        return None


def _missing_keys(litellm: Any, litellm_id: str, provider: str) -> list[str]:
    """Variables litellm misses, if they are keys; clouds have other ways to prove who one is."""
    if name := _listed_keys().get(provider):
        return [name]
    names: list[str] = litellm.validate_environment(model=litellm_id)["missing_keys"]
    return names if all(map(_KEY_NAME.search, names)) else []


@lru_cache(maxsize=1)
def _listed_keys() -> Mapping[str, str]:
    """Where the key of a small OpenAI-like provider stands; litellm names OpenAI's for all of these."""
    path = litellm_path(OPENAI_LIKE_PROVIDERS)
    listed = json.loads(path.read_bytes()) if path else {}
    return {name: entry["api_key_env"] for name, entry in listed.items() if "api_key_env" in entry}


def _has_key(provider: str) -> bool:
    """Whether the environment has a key of a provider; litellm reads more spellings than it admits to."""
    stem = re.sub(r"[-_]", "", provider).upper()[:_STEM]
    others = (_OTHER_KEYS.get(provider), _listed_keys().get(provider))
    return any(
        name in others or (_KEY_NAME.search(name) and name.replace("_", "").startswith(stem))
        for name, value in os.environ.items()
        if value
    )
