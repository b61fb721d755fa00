"""What models cost and how much they read, from the table that litellm ships, without importing litellm.

The first call of any function here reads a 3 MB file (some 15 ms), so make it off the event loop. The table
knows surcharges for very long prompts; `Price` has no room for these, so a price here is the list price.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from spotui.llm.routing import Price

PRICES: Final = "model_prices_and_context_window_backup.json"
VOCABULARIES: Final = "litellm_core_utils/tokenizers"
PROVIDERS: Final = "types/utils.py"
OPENAI_LIKE_PROVIDERS: Final = "llms/openai_like/providers.json"


def litellm_path(relative: str) -> Path | None:
    """A file or folder inside litellm's package.

    Args:
        relative: Its path below the package, with slashes.

    Returns:
        Where it is, or None when litellm is not installed or has no such file.
    """
    try:
        spec = find_spec("litellm")
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / relative
    return path if path.exists() else None


_CHAT_MODES: Final = frozenset({"chat", "completion", "responses"})
_EMBEDDING: Final = "embedding"
_MILLION: Final = 1_000_000

# The table writes 0 for free tiers and for prices nobody filled in. Only here does 0 mean free.
_OWN_MACHINE: Final = frozenset({"ollama", "lemonade"})

_DATE: Final = re.compile(r"(?:[-@](?:\d{4}-\d{2}-\d{2}|\d{8})|-latest)$")
_TUNED: Final = re.compile(r"(?P<provider>[^:]*/)?ft:(?P<base>[^:/]+)")
_FAMILIES: Final = (
    (re.compile(r"(?:ft:)?(?:gpt|chatgpt|o\d)(?:-|$)|text-embedding-(?:3|ada)-"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"gemini-"), "gemini"),
    (re.compile(r"deepseek-"), "deepseek"),
    (re.compile(r"grok-"), "xai"),
    (re.compile(r"(?:mistral|ministral|magistral|codestral|pixtral)-"), "mistral"),
    (re.compile(r"command-"), "cohere"),
)
_PROVIDER_LIST: Final = re.compile(r"^class LlmProviders\(.*?(?=^\S)", re.MULTILINE | re.DOTALL)
_PROVIDER: Final = re.compile(r'^\s+\w+ = "([^"]+)"', re.MULTILINE)

_T = TypeVar("_T")

_reading: Final = threading.Lock()


class _Row(msgspec.Struct):
    """The few fields of an entry that are read; the rest is skipped while decoding and costs no memory."""

    litellm_provider: Any = None
    mode: Any = None
    input_cost_per_token: Any = None
    output_cost_per_token: Any = None
    cache_read_input_token_cost: Any = None
    cache_creation_input_token_cost: Any = None
    max_output_tokens: Any = None


def lookup(model_id: str) -> Price | None:
    """The list price of a model.

    Args:
        model_id: With or without its provider's prefix, dated or not. A dated version that the table does
            not know has the price of the undated one, and a fine-tuned model has that of its base.

    Returns:
        The price, or None when it is unknown; an unknown price is never 0.
    """
    row = _row(model_id)
    if row is not None and row.mode == _EMBEDDING and row.output_cost_per_token is None:
        row.output_cost_per_token = 0.0
    if row is None or not (_is_number(row.input_cost_per_token) and _is_number(row.output_cost_per_token)):
        return None
    if row.input_cost_per_token <= 0 and row.output_cost_per_token <= 0:
        return Price(0.0, 0.0) if row.litellm_provider in _OWN_MACHINE else None
    return Price(
        _per_million(row.input_cost_per_token),
        _per_million(row.output_cost_per_token),
        cached=_cache_price(row.cache_read_input_token_cost),
        cache_write=_cache_price(row.cache_creation_input_token_cost),
    )


def longest_reply(model_id: str) -> int | None:
    """The longest reply that a model writes, in tokens, or None when it is unknown."""
    row = _row(model_id)
    most = row.max_output_tokens if row is not None else None
    return most if isinstance(most, int) and most > 0 else None


@lru_cache(maxsize=1)
def known_providers() -> frozenset[str]:
    """The first segments of model ids that litellm knows, such as `anthropic` and `openrouter`."""
    names: set[str] = set()
    # An enum in a module that cannot be imported on its own: read as text.
    path = litellm_path(PROVIDERS)
    if path and (listed := _PROVIDER_LIST.search(path.read_text(encoding="utf-8"))):
        names.update(_PROVIDER.findall(listed[0]))
    if path := litellm_path(OPENAI_LIKE_PROVIDERS):
        names.update(_decoded(path.read_bytes(), dict[str, msgspec.Raw]))
    return frozenset(names or {row.litellm_provider for row in _table().values()})


def guess_provider(model_id: str) -> str | None:
    """The provider of an id without a prefix, by its family; the model may be newer than every table.

    Args:
        model_id: Such as `claude-3-5-sonnet-20240620`.

    Returns:
        A provider's prefix, such as `anthropic`, or None when the family is not known.
    """
    return next((provider for family, provider in _FAMILIES if family.match(model_id)), None)


def nearest(model_id: str, n: int = 3) -> list[str]:
    """Ids of chat models that look like this one, for "did you mean"; takes up to some 100 ms.

    Args:
        model_id: An unknown id.
        n: How many at most.

    Returns:
        The likeliest first, those of the same provider before others; possibly none.
    """
    from difflib import get_close_matches

    prefix, slash, rest = model_id.partition("/")
    known = known_providers()
    found: list[str] = []
    if slash and prefix not in known:
        found += [f"{name}/{rest}" for name in get_close_matches(prefix, known, 1, cutoff=0.75)]
    provider = prefix if slash else guess_provider(model_id)
    table = {name: row for name, row in _table().items() if row.mode in _CHAT_MODES}
    own = {_short(name): name for name, row in table.items() if provider and _sold_by(provider, row)}
    found += [own[name] for name in get_close_matches(_short(model_id), own, n + 1)]
    if len(found) < n:
        found += get_close_matches(model_id, table, n + 1)
    return [name for name in dict.fromkeys(found) if name != model_id][:n]


def _row(model_id: str) -> _Row | None:
    table = _table()
    for spelling in _spellings(model_id):
        for name in _names(spelling, table):
            if row := table.get(name):
                return row
    return None


def _spellings(model_id: str) -> Iterator[str]:
    """An id and those that it may stand for: without its date, and without what was fine-tuned."""
    yield model_id
    yield _DATE.sub("", model_id)
    if tuned := _TUNED.match(model_id):
        provider, base = tuned["provider"] or "", tuned["base"]
        for name in (f"ft:{base}", f"ft:{_DATE.sub('', base)}", base, _DATE.sub("", base)):
            yield f"{provider}{name}"


def _names(model_id: str, table: Mapping[str, _Row]) -> Iterator[str]:
    """The keys under which the table may hold an id: some have the provider's prefix, some do not."""
    yield model_id
    prefix, slash, rest = model_id.partition("/")
    if not slash:
        if provider := guess_provider(model_id):
            yield f"{provider}/{model_id}"
    # The same id from another seller has another price.
    elif (row := table.get(rest)) and _sold_by(prefix, row):
        yield rest


def _sold_by(provider: str, row: _Row) -> bool:
    """Whether an entry belongs to a provider; the table splits some into `bedrock_converse` and others."""
    owner: str = row.litellm_provider
    return owner == provider or owner.startswith((f"{provider}_", f"{provider}-"))


def _short(model_id: str) -> str:
    return model_id.rpartition("/")[2]


def _table() -> Mapping[str, _Row]:
    with _reading:
        return _read_table()


@lru_cache(maxsize=1)
def _read_table() -> Mapping[str, _Row]:
    path = litellm_path(PRICES)
    if path is None:
        return {}
    rows = _decoded(path.read_bytes(), dict[str, _Row])
    return {
        name: row
        for name, row in rows.items()
        if row.mode in {*_CHAT_MODES, _EMBEDDING} and isinstance(row.litellm_provider, str)
    }


def _decoded(data: bytes, kind: type[dict[str, _T]]) -> dict[str, _T]:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError:
        return {}


def _per_million(usd_per_token: float) -> float:
    return round(usd_per_token * _MILLION, 6)


def _cache_price(usd_per_token: object) -> float | None:
    """USD per million tokens of a cache; the table writes 0 where nobody filled it in."""
    if isinstance(usd_per_token, (int, float)) and usd_per_token > 0:
        return _per_million(usd_per_token)
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
