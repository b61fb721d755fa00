"""Taking over the reference's `config2.yaml`, but never its keys: those are handed back to the caller.

A value may refer to another one of the file (`${llm.base_url}`) or to the environment (`${NAME}`, `$NAME`,
`${NAME:-default}`, `${oc.env:NAME,default}`); a key that comes from the environment stays there.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Self, TypeGuard

from spotui.domain.errors import nearest
from spotui.domain.secret import Secret
from spotui.lang import N_, _
from spotui.settings.config_file import ModelConfig, read_text, wrong_yaml
from spotui.settings.errors import Problem, SettingsError
from spotui.settings.keys import key_from
from spotui.settings.locations import shown
from spotui.settings.values import KindError, ModelId, Seconds, base_url_fault, convert

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
    "temperature": N_("a temperature belongs to a role here"),
    "max_token": N_("a longest reply belongs to a role here, as max_tokens"),
    "pricing_plan": N_("write the model's price instead, as input and output"),
    "access_key": N_("set AWS_ACCESS_KEY_ID instead"),
    "secret_key": N_("set AWS_SECRET_ACCESS_KEY instead"),
    "session_token": N_("set AWS_SESSION_TOKEN instead"),
    "region_name": N_("set AWS_REGION_NAME instead"),
    "api_version": N_("set AZURE_API_VERSION instead"),
}
_USUAL_URL: Final = "https://api.openai.com/v1"
_CARRIED: Final = frozenset({"api_type", "model", "base_url", "api_key", "timeout"})
_SECTIONS: Final = ("llm", "models", "roles", "embedding")
_REFERENCE: Final = re.compile(r"\$\{([^${}]*)\}")
_VARIABLE: Final = re.compile(
    r"(?:(?:oc\.)?env:)?(?P<name>[A-Za-z_]\w*)(?:(?::-|,)(?P<default>.*))?", re.DOTALL
)
_BARE_VARIABLE: Final = re.compile(r"\$([A-Z_][A-Z0-9_]*)")
_MOST_REFERENCES: Final = 20
"""References that one value may hold."""
_LONGEST_VALUE: Final = 10_000
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


def import_reference(path: Path, environ: Mapping[str, str] | None = None) -> ReferenceImport:
    """Read the reference's model file.

    Args:
        path: A `config2.yaml`.
        environ: The environment that the file may refer to, the process's own when None.

    Returns:
        Model entries, the keys that were found, and what could not be carried over.

    Raises:
        SettingsError: The file is missing, is not YAML, holds no models, or refers to what is not there.
    """
    from spotui.templates.yaml.composer import load
    from spotui.templates.yaml.faults import YamlError

    text = read_text(path)
    if text is None:
        raise SettingsError(
            _("{shown} does not exist.", shown=shown(path)),
            _("Give the path of the reference's config2.yaml."),
        )
    try:
        document = load(text, merges=True).data()
    except YamlError as error:
        raise wrong_yaml(error.faults, path) from error
    if not isinstance(document, dict) or not document.keys() & {"llm", "models", "roles"}:
        raise SettingsError(
            _("{shown} holds neither 'llm:' nor 'models:'.", shown=shown(path)),
            _("Give the path of the reference's config2.yaml."),
        )
    references = _References(document, os.environ if environ is None else environ)
    found = {name: references.resolve(name, document[name]) for name in _SECTIONS if name in document}
    if references.problems:
        raise SettingsError.of(
            [Problem(f"{shown(path)}, {one.where}", one.what, one.hint) for one in references.problems]
        )
    reader = _Reader()
    for name in [name for name in document if name not in (*_SECTIONS, *references.used)]:
        reader.left_out.append(_("{word}: spotui has no such section.", word=_word(name)))
    llm = found.get("llm")
    if not (isinstance(llm, dict) and not llm.get("model") and "llm" in references.used):
        reader.entry("llm", llm, "")
    for place, entry in _role_models(found.get("roles")):
        reader.entry(place, entry, "")
    reader.entry("embedding", found.get("embedding"), "")
    models = found.get("models")
    if isinstance(models, dict):
        for name, entry in models.items():
            reader.entry(f"models.{_word(name)}", entry, name)
    elif models is not None:
        reader.left_out.append(_("models: this is not a mapping of models."))
    return ReferenceImport(reader.models, reader.found_keys, tuple(reader.left_out))


def _role_models(roles: object) -> list[tuple[str, object]]:
    """The models that single roles have: `roles` lists them, or names them, each with its `llm`."""
    if isinstance(roles, dict):
        named = list(roles.items())
    else:
        listed = roles if isinstance(roles, list) else []
        named = [(str(one.get("role", at)), one) for at, one in enumerate(listed, 1) if isinstance(one, dict)]
    return [
        (f"roles.{_word(name)}.llm", one["llm"]) if "llm" in one else (f"roles.{_word(name)}", one)
        for name, one in named
        if isinstance(one, dict)
    ]


class _FromEnvironment(str):
    """A value that an environment variable holds; empty when the variable is not set.

    Attributes:
        variable: Its name.
    """

    variable: str

    def __new__(cls, value: str, variable: str) -> Self:
        made = super().__new__(cls, value)
        made.variable = variable
        return made


class _References:
    """What values refer to.

    Args:
        document: The file.
        environ: The environment.

    Attributes:
        problems: References that lead nowhere.
        used: The sections that some value refers to.
    """

    def __init__(self, document: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = environ
        self.problems: list[Problem] = []
        self.used: set[str] = set()

    def resolve(self, where: str, value: Any, trail: tuple[str, ...] = ()) -> Any:
        """The value with every reference replaced by what it refers to."""
        if isinstance(value, dict):
            return {key: self.resolve(f"{where}.{_word(key)}", each, trail) for key, each in value.items()}
        if isinstance(value, list):
            return [self.resolve(f"{where}[{at}]", each, trail) for at, each in enumerate(value)]
        if not isinstance(value, str):
            return value
        if bare := _BARE_VARIABLE.fullmatch(value):
            return self._variable(where, value, bare[1], None)
        for _step in range(_MOST_REFERENCES):
            if whole := _REFERENCE.fullmatch(value.strip()):
                return self._refer(where, whole[1].strip(), trail)
            inner = _REFERENCE.search(value)
            if inner is None:
                return value
            found = self._refer(where, inner[1].strip(), trail)
            value = f"{value[: inner.start()]}{found}{value[inner.end() :]}"[:_LONGEST_VALUE]
        return value

    def _refer(self, where: str, name: str, trail: tuple[str, ...]) -> Any:
        if name in trail:
            return self._fail(where, f"${{{name}}}", _("leads back to itself."), _("Write the value out."))
        found = _at(self._document, name.split("."))
        if found is not _NOTHING:
            self.used.add(name.partition(".")[0])
            return self.resolve(where, found, (*trail, name))
        if variable := _VARIABLE.fullmatch(name):
            return self._variable(where, f"${{{name}}}", variable["name"], variable["default"])
        meant = nearest(name, [*_paths(self._document)])
        hint = (
            _("Did you mean ${{{meant}}}?", meant=meant)
            if meant
            else _("Correct it, or write the value out.")
        )
        return self._fail(where, f"${{{name}}}", _("is not in the file."), hint)

    def _variable(self, where: str, written: str, name: str, default: str | None) -> Any:
        if name in self._environ or where.endswith(".api_key"):
            return _FromEnvironment(self._environ.get(name, ""), name)
        if default is not None:
            return default
        hint = _("Set {name}, or write the value out.", name=name)
        return self._fail(where, written, _("is not in the file, nor is it set in the environment."), hint)

    def _fail(self, where: str, written: str, what: str, hint: str) -> str:
        self.problems.append(Problem(where, f"{written[:80]} {what}", hint))
        return ""


_NOTHING: Final = object()


def _at(value: Any, steps: list[str]) -> Any:
    """What is at a path; names with dots in them, as models have, are tried whole, too."""
    if not steps:
        return value
    if isinstance(value, list):
        at = steps[0]
        return _at(value[int(at)], steps[1:]) if at.isdecimal() and int(at) < len(value) else _NOTHING
    if not isinstance(value, dict):
        return _NOTHING
    for length in range(len(steps), 0, -1):
        name = ".".join(steps[:length])
        if name in value and (found := _at(value[name], steps[length:])) is not _NOTHING:
            return found
    return _NOTHING


def _paths(document: Mapping[str, Any], before: str = "") -> list[str]:
    """The paths that can be referred to, for what was meant by one that cannot."""
    paths = []
    for name, value in document.items():
        paths.append(f"{before}{name}")
        if isinstance(value, dict):
            paths += _paths(value, f"{before}{name}.")
    return paths


class _Reader:
    def __init__(self) -> None:
        self.models: dict[str, ModelConfig] = {}
        self.found_keys: dict[str, Secret] = {}
        self.left_out: list[str] = []

    def entry(self, where: str, entry: object, name: str) -> None:
        """Read one model's mapping; `name` is its model id when it names none itself."""
        if entry is None:
            return
        if not isinstance(entry, dict):
            self.left_out.append(_("{place}: this is not a mapping.", place=where))
            return
        kind = str(entry.get("api_type") or "openai").casefold()
        model = entry.get("model") or name
        if not _is_model(model):
            self.left_out.append(_("{place}: it names no model.", place=where))
            return
        if kind not in _COMPATIBLE and kind not in _PREFIXES:
            self.left_out.append(
                _("{place}: spotui cannot reach models of the type {word}.", place=where, word=_word(kind))
            )
            return
        model = model if kind in _COMPATIBLE else _PREFIXES[kind] + model.removeprefix(_PREFIXES[kind])
        if name and entry.get("model") not in (None, name):
            self.left_out.append(
                _(
                    "{place}: its short name is not kept, the model is called {model} here.",
                    place=where,
                    model=model,
                )
            )
        key = entry.get("api_key")
        self.models[model] = ModelConfig(
            base_url=self._base_url(where, entry.get("base_url"), kind),
            api_key_env=key.variable if isinstance(key, _FromEnvironment) else None,
            timeout=self._timeout(where, entry),
        )
        if not isinstance(key, _FromEnvironment):
            self._key(where, model, key)
        self._rest(where, entry)

    def _base_url(self, where: str, url: object, kind: str) -> str | None:
        if not isinstance(url, str) or not url or url.casefold().startswith("your"):
            return None
        if kind in _PREFIXES:
            variable = _BASE_VARIABLES.get(kind)
            hint = (
                _("set {variable} instead", variable=variable)
                if variable
                else _("the model's usual address is used")
            )
            self.left_out.append(_("{place}.base_url: {hint}.", place=where, hint=hint))
            return None
        if fault := base_url_fault(url):
            self.left_out.append(_("{place}.base_url: it {fault}.", place=where, fault=fault))
            return None
        return None if url.rstrip("/") == _USUAL_URL else url

    def _timeout(self, where: str, entry: Mapping[str, object]) -> float | None:
        try:
            timeout = convert(Seconds | None, entry.get("timeout") or None)
        except KindError as error:
            self.left_out.append(_("{place}.timeout: it {error}.", place=where, error=error.what))
            return None
        return timeout if isinstance(timeout, float) else None

    def _key(self, where: str, model: str, key: object) -> None:
        text = str(key if key is not None else "").strip()
        if _is_placeholder(text):
            return
        try:
            found = key_from(text, f"{where}.api_key")
        except SettingsError as error:
            self.left_out.append(error.what)
            return
        if found:
            self.found_keys[model] = found

    def _rest(self, where: str, entry: Mapping[str, object]) -> None:
        for field in [field for field in entry if field not in _CARRIED]:
            hint = _(_HINTS[field]) if field in _HINTS else _("spotui has no such setting")
            if field == "proxy":
                proxy = str(entry[field] or "")
                value = f"={proxy}" if proxy and "@" not in proxy else ""
                hint = _("set HTTPS_PROXY{value} in the environment instead", value=value)
            self.left_out.append(f"{where}.{_word(field)}: {hint}.")


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
