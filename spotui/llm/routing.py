"""Which provider serves a model id, where, and with which key."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from spotui.domain.secret import Secret
from spotui.lang import _, join
from spotui.settings.config_file import Config, ModelConfig
from spotui.settings.errors import SettingsError
from spotui.settings.keys import OPENAI_URLS, configured_key, key_from
from spotui.settings.table import (
    EMBEDDED_PREFIX,
    FUNCTION_PREFIX,
    PROGRAM_PREFIX,
    default_timeout,
    is_embedded,
)
from spotui.settings.values import base_url_fault

if TYPE_CHECKING:
    from spotui.settings.programs import Program


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
        values: Of the environment variables that headers and query of its requests name.
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
    values: Mapping[str, Secret] = {}

    @property
    def silence(self) -> float:
        """Seconds that a connection may bring no byte at all."""
        return max(self.timeout, self.first_token_timeout or 0.0)


ProviderKind = Literal["embedded", "scripted", "openai_compatible", "litellm", "program", "function"]

SCRIPTED_PREFIX: Final = "scripted/"
OPENAI_URL: Final = "https://api.openai.com/v1"
OPENAI_KEY: Final = "OPENAI_API_KEY"

EMBEDDED_CONCURRENCY: Final = 4
"""Calls at once to the embedded model: more than four share the same cores and only wait."""

_OPENAI_PREFIX: Final = "openai/"
_OPENAI_HOSTS: Final = (
    *("api.openai.com", ".openai.azure.com"),
    *(".ai.azure.com", ".cognitiveservices.azure.com"),
)
_OPEN_WEIGHTS: Final = re.compile(r"gpt-oss")

_ADDRESSES: Final[Mapping[str, tuple[str, str]]] = {
    "lm_studio": ("LM_STUDIO_API_BASE", "http://localhost:1234/v1"),
    "hosted_vllm": ("HOSTED_VLLM_API_BASE", "http://localhost:8000/v1"),
    "llamafile": ("LLAMAFILE_API_BASE", "http://localhost:8080/v1"),
    "xinference": ("XINFERENCE_API_BASE", "http://localhost:9997/v1"),
    "litellm_proxy": ("LITELLM_PROXY_API_BASE", "http://localhost:4000"),
    "openai_like": ("OPENAI_LIKE_API_BASE", "http://localhost:8000/v1"),
}
"""Server software: the variable that litellm reads its address from, and an address it often has."""

_SOFTWARE: Final = frozenset({*_ADDRESSES, "vllm", "custom_openai", "ollama", "ollama_chat"})

_OPENAI_ID: Final = re.compile(r"(ft:)?(gpt-|chatgpt-|o[134](-|$))|text-embedding-(3|ada)-")
_LOCAL_SUFFIXES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


class Route(msgspec.Struct, frozen=True):
    """The way to a model.

    Attributes:
        kind: Which provider makes the call.
        endpoint: Where it goes, with the key and the limits.
        wire_model: What the provider asks for: an id for the server, a path for a script, or a name.
    """

    kind: ProviderKind
    endpoint: Endpoint
    wire_model: str


class _Server(NamedTuple):
    """An OpenAI-compatible server, who named it, and the id to ask it for."""

    base_url: str
    named_by: str
    wire_model: str


def route(
    model: str,
    *,
    base_url: str | None = None,
    concurrency: int | None = None,
    timeout: float | None = None,
    first_token_timeout: float | None = None,
    call_timeout: float | None = None,
    config: Config,
    environ: Mapping[str, str],
    known_providers: Callable[[], Collection[str]],
    is_trusted: Callable[[str], bool] = lambda _: True,
    program: "Program | None" = None,
) -> Route:
    """Find the way to a model.

    Args:
        model: The model id as the user wrote it.
        base_url: `RunSettings.base_url`: one OpenAI-compatible endpoint for every hosted model.
        concurrency: `RunSettings.concurrency`, or None for the model's own.
        timeout: The role's seconds without a token, or None for the model's own.
        first_token_timeout: `RunSettings.first_token_timeout`.
        call_timeout: `RunSettings.call_timeout`.
        config: The user's config file.
        environ: The environment: SPOTUI_BASE_URL, OPENAI_BASE_URL and keys.
        known_providers: The first segments of model ids that litellm knows; called only when it matters.
        is_trusted: Whether a key may be sent to `base_url`; called only where there is a key.
        program: The program that answers in place of the executor's model.

    Returns:
        The route, with everything resolved.

    Raises:
        SettingsError: The id names nothing, a URL is none, or a hosted endpoint has no key.
    """
    entry = config.models.get(model, ModelConfig())

    def way(kind: ProviderKind, wire_model: str, url: str | None = None, key: Secret | None = None) -> Route:
        endpoint = Endpoint(
            model=model,
            base_url=url,
            api_key=key,
            timeout=timeout or entry.timeout or default_timeout(model),
            first_token_timeout=first_token_timeout,
            call_timeout=call_timeout,
            limits=_limits(model, entry, concurrency),
            price=Price(entry.price.input, entry.price.output) if entry.price else None,
        )
        return Route(kind, endpoint, wire_model)

    if "://" in model and not model.startswith(SCRIPTED_PREFIX):
        raise SettingsError(
            _("The model id {model} holds an address, where a key could be sent to anybody.", model=model),
            _("Name the model alone, and give the address as its base URL."),
        )
    if is_embedded(model):
        return way("embedded", _rest(model, EMBEDDED_PREFIX))
    if model.startswith(SCRIPTED_PREFIX):
        return way("scripted", _rest(model, SCRIPTED_PREFIX))
    if model.startswith(FUNCTION_PREFIX):
        return way("function", _rest(model, FUNCTION_PREFIX))
    if model.startswith(PROGRAM_PREFIX):
        if program is None:
            raise SettingsError(
                _("{model} is a program, and its command is not set.", model=model),
                _("Set it with --exec-command or --exec-url, or choose a model."),
            )
        key = configured_key(model, entry, environ) if program.url else None
        found = way("program", _rest(model, PROGRAM_PREFIX), program.url or None, key)
        # A program gives its answer in one piece, and a process that takes too long is ended by its provider.
        whole = call_timeout if program.url else None
        return msgspec.structs.replace(
            found,
            endpoint=msgspec.structs.replace(found.endpoint, first_token_timeout=None, call_timeout=whole),
        )
    server = _server(model, entry, base_url, environ, known_providers)
    if server is None:
        return way("litellm", model, key=configured_key(model, entry, environ))
    url = _checked(server)
    key = _key(model, entry, url, environ)
    if key is not None and base_url and not is_trusted(url):
        _check_near(model, url)
        found = way("openai_compatible", server.wire_model, url)
        hint = join(_("Your key is not sent there."), _trusting(url))
        return msgspec.structs.replace(found, endpoint=msgspec.structs.replace(found.endpoint, key_hint=hint))
    return way("openai_compatible", server.wire_model, url, key)


def _server(
    model: str,
    entry: ModelConfig,
    base_url: str | None,
    environ: Mapping[str, str],
    known_providers: Callable[[], Collection[str]],
) -> _Server | None:
    # Servers of one's own often serve ids such as openai/gpt-oss-20b: those go out as they were written.
    name = _without_software(model)
    if base_url:
        return _Server(base_url, _("The base URL"), name)
    if exported := environ.get("SPOTUI_BASE_URL", "").strip():
        return _Server(exported, "SPOTUI_BASE_URL", name)
    if entry.base_url:
        return _Server(entry.base_url, _("The base_url of {model}", model=model), name)
    variable = next((one for one in OPENAI_URLS if environ.get(one, "").strip()), OPENAI_URLS[0])
    exported = environ.get(variable, "").strip()
    openai = _Server(exported or OPENAI_URL, variable, model)
    if model.startswith(_OPENAI_PREFIX):
        # Servers of others often serve ids such as openai/gpt-oss-20b; OpenAI's own serve none.
        bare = _rest(model, _OPENAI_PREFIX)
        return _served(openai._replace(wire_model=bare) if _is_openai(openai.base_url) else openai)
    if _OPENAI_ID.match(model):
        return _served(openai)
    provider = model.partition("/")[0]
    if name != model and provider in _ADDRESSES and not environ.get(_ADDRESSES[provider][0], "").strip():
        if exported:
            return openai._replace(wire_model=name)
        raise _no_address(model, *_ADDRESSES[provider])
    # A provider's model stays with its provider, even where all of OpenAI's go elsewhere.
    return openai if exported and provider not in known_providers() else None


def _served(openai: _Server) -> _Server:
    """The server, unless it is OpenAI's and OpenAI does not serve the model."""
    model = openai.wire_model
    if _OPEN_WEIGHTS.match(model) and _is_openai(openai.base_url):
        raise SettingsError(
            _("{model} is a model with open weights, and OpenAI does not serve it.", model=model),
            _(
                "Name who does: openrouter/openai/{model}, groq/openai/{model} or ollama/{model}, or "
                "set a base URL.",
                model=model,
            ),
        )
    return openai


def _without_software(model: str) -> str:
    """The id that a server knows: no server puts the name of its software in front."""
    prefix, slash, rest = model.partition("/")
    return rest if slash and rest and prefix in _SOFTWARE else model


def _no_address(model: str, variable: str, example: str) -> SettingsError:
    return SettingsError(
        _("{model} runs on a server of yours, and its address is not set.", model=model),
        _(
            "Give it: --base-url {example}, base_url of {model} in the config file, or export {variable}=…",
            example=example,
            model=model,
            variable=variable,
        ),
    )


def _is_openai(base_url: str) -> bool:
    """Whether an address is OpenAI's or Azure's: these serve OpenAI's models by their bare names."""
    from urllib.parse import urlsplit

    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    return host.endswith(_OPENAI_HOSTS)


def _key(model: str, entry: ModelConfig, url: str, environ: Mapping[str, str]) -> Secret | None:
    # A key that was configured for one server must not be sent to another.
    own = entry.base_url is None or _plain(entry.base_url) == url
    if own and (key := configured_key(model, entry, environ)):
        return key
    if key := key_from(environ.get(OPENAI_KEY, ""), f"environment {OPENAI_KEY}"):
        return key
    if _is_near(url):
        return None
    raise SettingsError(
        _(
            "{model} at {url} needs a key, and {openai_key} is not set.",
            model=model,
            url=url,
            openai_key=OPENAI_KEY,
        ),
        _(
            "Set it with 'export {openai_key}=…', or name another variable as api_key_env of "
            "{model} in the config file. If the server wants no key, any text will do.",
            openai_key=OPENAI_KEY,
            model=model,
        ),
    )


def _check_near(model: str, url: str) -> None:
    """Make sure that a server can do without a key: one that only a project names gets none.

    Raises:
        SettingsError: It is a hosted server.
    """
    if not _is_near(url):
        raise SettingsError(
            _(
                "{model} at {url} would be sent your key, but only this project's run.yaml names "
                "that address.",
                model=model,
                url=url,
            ),
            _trusting(url),
        )


def _trusting(url: str) -> str:
    return _("If you trust that address, allow it once: spotui resume NAME --trust-address {url}", url=url)


def _limits(model: str, entry: ModelConfig, concurrency: int | None) -> Limits:
    usual = EMBEDDED_CONCURRENCY if is_embedded(model) else Limits().concurrency
    return Limits(
        concurrency=concurrency or entry.concurrency or usual,
        requests_per_minute=entry.requests_per_minute,
        tokens_per_minute=entry.tokens_per_minute,
    )


def _rest(model: str, prefix: str) -> str:
    rest = model.removeprefix(prefix)
    if not rest:
        raise SettingsError(
            _("The model id {model} names nothing.", model=model),
            _("Put a name after '{prefix}'.", prefix=prefix),
        )
    return rest


def _checked(server: _Server) -> str:
    url = server.base_url.strip()
    if fault := base_url_fault(url):
        raise SettingsError(
            f"{server.named_by} {fault}.", _("Give the address that ends before /chat/completions.")
        )
    return _plain(url)


def _plain(url: str) -> str:
    root, mark, query = url.strip().partition("?")
    return root_path(root) + mark + query


_ENDPOINTS: Final = ("/chat/completions", "/completions", "/responses", "/embeddings")


def root_path(path: str) -> str:
    """The path that endpoints begin at, where that of an endpoint was copied; without a slash at its end."""
    path = path.rstrip("/")
    ending = next((one for one in _ENDPOINTS if path.endswith(one)), "")
    return path.removesuffix(ending).rstrip("/")


def _is_near(url: str) -> bool:
    """Whether a server is on this machine or in the user's own network, where keys are rare."""
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    if ("." not in host and ":" not in host) or host.endswith(_LOCAL_SUFFIXES):
        return True
    import ipaddress

    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
