"""Which models can be used here: configured ones, keys in the environment, servers, embedded models."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from spotui.domain.figures import size
from spotui.lang import _
from spotui.settings.config_file import Config
from spotui.settings.keys import OPENAI_URLS
from spotui.settings.table import DEFAULT_MODEL

if TYPE_CHECKING:
    from pathlib import Path


LOCAL_SECONDS: Final = 1.5
"""A server on this machine that has not answered by then is not waited for."""

REMOTE_SECONDS: Final = 4.0
"""The same for the endpoint that the environment names."""

MODELS_A_SERVER: Final = 8
"""A server may offer hundreds; these are enough to begin with, and any other can be typed."""

_ADDRESSES: Final = ("SPOTUI_BASE_URL", *OPENAI_URLS)
"""Variables that name an endpoint, the one that counts first."""

_LONGEST_REPLY: Final = 4 * 1024 * 1024
_NOT_FOR_CHAT: Final = (
    "embed",
    "rerank",
    "whisper",
    "tts",
    "moderation",
    "dall-e",
    "image",
    "audio",
    "realtime",
    "transcribe",
)


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model that can be asked, or an endpoint that the environment names and that cannot.

    Attributes:
        model: Its id; empty for an endpoint that does not tell its models, and `note` says why.
        source: What leads to it: a variable, a server, the settings.
        base_url: Its endpoint; empty for its usual one.
        note: What else a person should know.
    """

    model: str
    source: str
    base_url: str = ""
    note: str = ""


class Server(NamedTuple):
    """A place where a server may listen.

    Attributes:
        name: What leads to it.
        base_url: Its OpenAI-compatible endpoint.
        key: What it wants to see.
        patience: Seconds that it may be silent.
        is_usual: Whether calls go there anyway, because the environment says so.
    """

    name: str
    base_url: str
    key: str = ""
    patience: float = LOCAL_SECONDS
    is_usual: bool = False


LOCAL_SERVERS: Final = (
    Server("Ollama", "http://localhost:11434/v1"),
    Server("LM Studio", "http://localhost:1234/v1"),
    Server("vLLM", "http://localhost:8000/v1"),
    Server("llama.cpp", "http://localhost:8080/v1"),
)

KEYS: Final[Mapping[str, str]] = {
    "OPENAI_API_KEY": "gpt-4.1-mini",
    "ANTHROPIC_API_KEY": "anthropic/claude-haiku-4-5",
    "GEMINI_API_KEY": "gemini/gemini-2.5-flash",
    "MISTRAL_API_KEY": "mistral/mistral-small-latest",
    "DEEPSEEK_API_KEY": "deepseek/deepseek-chat",
    "GROQ_API_KEY": "groq/openai/gpt-oss-120b",
    "TOGETHERAI_API_KEY": "together_ai/openai/gpt-oss-120b",
    "XAI_API_KEY": "xai/grok-4.3",
}
"""For each key the model to begin with: one that is good enough and not dear."""


class _NoModelsError(ValueError):
    """A server answers, and tells no models; the text says why."""


def find_models(
    config: Config,
    environ: Mapping[str, str],
    models_dir: "Path",
    local_servers: Sequence[Server] = LOCAL_SERVERS,
) -> list[Offer]:
    """Look for models; takes at most some seconds, and asks no model anything.

    Args:
        config: The user's config file.
        environ: The environment: keys, endpoints, OLLAMA_HOST.
        models_dir: Where embedded models are.
        local_servers: Where to look on this machine.

    Returns:
        The most likely choice first; the embedded model is always among them.
    """
    servers = [*_named_servers(environ), *_moved(local_servers, environ)]
    with ThreadPoolExecutor(max_workers=len(servers) or 1) as pool:
        offers = list(pool.map(_offers, servers))
    found = [
        *(Offer(model, _("your settings")) for model in _configured(config)),
        *(one for offer in offers for one in offer),
        *_by_key(environ),
        *_embedded(models_dir),
    ]
    first: dict[tuple[str, str], Offer] = {}
    for one in found:
        first.setdefault((one.model, one.base_url), one)
    return list(first.values())


def _configured(config: Config) -> list[str]:
    roles = (config.settings.get(f"roles.{role}.model") for role in ("executor", "optimizer", "evaluator"))
    return list(dict.fromkeys([*(str(model) for model in roles if model), *config.models]))


def _named_servers(environ: Mapping[str, str]) -> Iterator[Server]:
    for variable in _ADDRESSES:
        if url := environ.get(variable, "").strip():
            key = environ.get("OPENAI_API_KEY", "").strip()
            yield Server(variable, url, key, REMOTE_SECONDS, is_usual=True)
            return


def _moved(servers: Sequence[Server], environ: Mapping[str, str]) -> Iterator[Server]:
    host = environ.get("OLLAMA_HOST", "").strip()
    for server in servers:
        if server.name == "Ollama" and host:
            url = host if "//" in host else f"http://{host}"
            # What a server listens on everywhere is not an address to call.
            yield server._replace(base_url=url.replace("0.0.0.0", "127.0.0.1").rstrip("/") + "/v1")  # noqa: S104
        else:
            yield server


def _by_key(environ: Mapping[str, str]) -> Iterator[Offer]:
    elsewhere = any(environ.get(variable, "").strip() for variable in _ADDRESSES)
    for variable, model in KEYS.items():
        if environ.get(variable, "").strip() and not (variable == "OPENAI_API_KEY" and elsewhere):
            yield Offer(model, variable)


def _embedded(models_dir: "Path") -> Iterator[Offer]:
    from spotui.llm.local.catalog import known_model
    from spotui.llm.local.store import ModelStore

    here = [stored.id for stored in ModelStore(models_dir).models()]
    for model in sorted({DEFAULT_MODEL, *here}, key=lambda model: (model != DEFAULT_MODEL, model)):
        known = known_model(model)
        fetch = (
            _("{size} are downloaded first", size=size(known.bytes)) if known and model not in here else ""
        )
        yield Offer(model, "embedded", note=fetch or _("on this machine"))


def _offers(server: Server) -> list[Offer]:
    """What a server offers; one that is not there, or is something else, offers nothing.

    Somebody has named the endpoint of the environment, so there it is said what is wrong with it.
    """
    try:
        models = _models(server)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = str(error) if isinstance(error, _NoModelsError) else _("does not answer")
        return [Offer("", server.name, server.base_url, note=why)] if server.is_usual else []
    chat = [model for model in models if not any(word in model.lower() for word in _NOT_FOR_CHAT)]
    return [
        # With a slash in it an id may be a provider's own, and its calls would go there.
        Offer(model, server.name, note=server.base_url)
        if server.is_usual and "/" not in model
        else Offer(model, server.name, server.base_url)
        for model in chat[:MODELS_A_SERVER]
    ]


def _models(server: Server) -> list[str]:
    url = urlsplit(server.base_url)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=server.patience)
    try:
        headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
        connection.request("GET", url.path.rstrip("/") + "/models", headers=headers)
        reply = connection.getresponse()
        if reply.status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
            raise _NoModelsError(_("does not accept the key (HTTP {status})", status=reply.status))
        if reply.status != http.client.OK:
            raise _NoModelsError(_("does not list its models (HTTP {status})", status=reply.status))
        data = json.loads(reply.read(_LONGEST_REPLY))
    finally:
        connection.close()
    rows = data.get("data") if isinstance(data, dict) else None
    ids = [row.get("id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [model for model in ids if isinstance(model, str) and model]
