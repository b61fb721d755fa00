"""Taking over the reference's `config2.yaml`, but never its keys: those are handed back to the caller."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeGuard

from spotui.locations import shown
from spotui.secret import Secret
from spotui.settings.errors import SettingsError
from spotui.settings.keys import key_from
from spotui.settings.kinds import KindError, ModelId, Seconds, base_url_fault, convert
from spotui.settings.load import read_text, wrong_yaml
from spotui.settings.schema import ModelConfig

_COMPATIBLE: Final = frozenset(
    {
        *("openai", "open_llm", "openrouter", "open_router", "openrouter_reasoning", "llama_api", "edenai"),
        *("ark", "deepseek", "fireworks", "mistral", "moonshot", "siliconflow", "yi"),
    }
)
"""The types that the reference reaches through OpenAI's protocol."""

_PREFIXES: Final = {
    "anthropic": "anthropic/",
    "claude": "anthropic/",
    "gemini": "gemini/",
    "azure": "azure/",
    "ollama": "ollama_chat/",
    "bedrock": "bedrock/",
    "zhipuai": "zai/",
    "dashscope": "dashscope/",
}
"""The types that have a provider of their own, and what its model ids begin with here."""

_BASE_VARIABLES: Final = {
    "azure": "AZURE_API_BASE",
    "ollama": "OLLAMA_API_BASE",
    "anthropic": "ANTHROPIC_API_BASE",
    "claude": "ANTHROPIC_API_BASE",
}
"""Where litellm looks for another address."""

_HINTS: Final = {
    "temperature": "a temperature belongs to a role here",
    "max_token": "a longest reply belongs to a role here, as max_tokens",
    "proxy": "set HTTPS_PROXY instead",
    "pricing_plan": "write the model's price instead, as input and output",
    "access_key": "set AWS_ACCESS_KEY_ID instead",
    "secret_key": "set AWS_SECRET_ACCESS_KEY instead",
    "session_token": "set AWS_SESSION_TOKEN instead",
    "region_name": "set AWS_REGION_NAME instead",
    "api_version": "set AZURE_API_VERSION instead",
}
_USUAL_URL: Final = "https://api.openai.com/v1"
_CARRIED: Final = frozenset({"api_type", "model", "base_url", "api_key", "timeout"})
_NO_KEYS: Final = frozenset({"", "sk-", "empty", "none", "null", "dummy", "-"})


class ReferenceImport(NamedTuple):
    """What a `config2.yaml` held.

    Attributes:
        models: An entry for each model, without keys.
        found_keys: The keys that were in plain text, by model id; for the keyring, not for a file.
        left_out: What has no place here, a sentence each.
    """

    models: Mapping[str, ModelConfig]
    found_keys: Mapping[str, Secret]
    left_out: tuple[str, ...]


def import_reference(path: Path) -> ReferenceImport:
    """Read the reference's model file.

    Args:
        path: A `config2.yaml`.

    Returns:
        Model entries, the keys that were found, and what could not be carried over.

    Raises:
        SettingsError: The file is missing, is no YAML, or holds no models.
    """
    from spotui.marked_yaml.marks import YamlError, load

    text = read_text(path)
    if text is None:
        raise SettingsError(
            f"{shown(path)} does not exist.", "Give the path of the reference's config2.yaml."
        )
    try:
        document = load(text).data()
    except YamlError as error:
        raise wrong_yaml(error.faults, path) from error
    if not isinstance(document, dict) or not document.keys() & {"llm", "models"}:
        raise SettingsError(
            f"{shown(path)} holds neither 'llm:' nor 'models:'.",
            "Give the path of the reference's config2.yaml.",
        )
    reader = _Reader()
    for name in [name for name in document if name not in ("llm", "models")]:
        reader.left_out.append(f"{_word(name)}: spotui has no such section.")
    reader.entry("llm", document.get("llm"), "")
    models = document.get("models")
    if isinstance(models, dict):
        for name, entry in models.items():
            reader.entry(f"models.{_word(name)}", entry, name)
    elif models is not None:
        reader.left_out.append("models: this is not a mapping of models.")
    return ReferenceImport(reader.models, reader.found_keys, tuple(reader.left_out))


class _Reader:
    def __init__(self) -> None:
        self.models: dict[str, ModelConfig] = {}
        self.found_keys: dict[str, Secret] = {}
        self.left_out: list[str] = []

    def entry(self, place: str, entry: object, name: str) -> None:
        """Read one model's mapping; `name` is its model id when it names none itself."""
        if entry is None:
            return
        if not isinstance(entry, dict):
            self.left_out.append(f"{place}: this is not a mapping.")
            return
        kind = str(entry.get("api_type") or "openai").casefold()
        model = entry.get("model") or name
        if not _is_model(model):
            self.left_out.append(f"{place}: it names no model.")
            return
        if kind not in _COMPATIBLE and kind not in _PREFIXES:
            self.left_out.append(f"{place}: spotui cannot reach models of the type {_word(kind)}.")
            return
        model = model if kind in _COMPATIBLE else _PREFIXES[kind] + model.removeprefix(_PREFIXES[kind])
        if name and entry.get("model") not in (None, name):
            self.left_out.append(f"{place}: its short name is not kept, the model is called {model} here.")
        self.models[model] = ModelConfig(
            base_url=self._base_url(place, entry.get("base_url"), kind), timeout=self._timeout(place, entry)
        )
        self._key(place, model, entry.get("api_key"))
        self._rest(place, entry)

    def _base_url(self, place: str, url: object, kind: str) -> str | None:
        if not isinstance(url, str) or not url or url.casefold().startswith("your"):
            return None
        if kind in _PREFIXES:
            variable = _BASE_VARIABLES.get(kind)
            hint = f"set {variable} instead" if variable else "the model's usual address is used"
            self.left_out.append(f"{place}.base_url: {hint}.")
            return None
        if fault := base_url_fault(url):
            self.left_out.append(f"{place}.base_url: it {fault}.")
            return None
        return None if url.rstrip("/") == _USUAL_URL else url

    def _timeout(self, place: str, entry: Mapping[str, object]) -> float | None:
        try:
            timeout = convert(Seconds | None, entry.get("timeout") or None)
        except KindError as error:
            self.left_out.append(f"{place}.timeout: it {error.what}.")
            return None
        return timeout if isinstance(timeout, float) else None

    def _key(self, place: str, model: str, key: object) -> None:
        text = str(key if key is not None else "").strip()
        if _is_placeholder(text):
            return
        try:
            found = key_from(text, f"{place}.api_key")
        except SettingsError as error:
            self.left_out.append(error.what)
            return
        if found:
            self.found_keys[model] = found

    def _rest(self, place: str, entry: Mapping[str, object]) -> None:
        for field in [field for field in entry if field not in _CARRIED]:
            hint = _HINTS.get(field, "spotui has no such setting")
            self.left_out.append(f"{place}.{_word(field)}: {hint}.")


def _is_model(model: object) -> TypeGuard[str]:
    try:
        return bool(convert(ModelId, model)) and not str(model).casefold().startswith("your_")
    except KindError:
        return False


def _is_placeholder(key: str) -> bool:
    """Whether a key is what an example file holds."""
    plain = key.casefold().strip("<>[]{}\"' ")
    if plain in _NO_KEYS or "your" in plain or "api_key" in plain or "api-key" in plain:
        return True
    return not plain.removeprefix("sk-").strip("x.*-_")


def _word(name: str) -> str:
    """A name from the file, unless it is too long to be one."""
    return name if len(name) <= 60 and not name.startswith("sk-") else "…"
