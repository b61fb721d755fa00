"""Adds a prompt as a new version to a registry, with what the run says of it."""

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.templates.exchange.imported import Notes
from spotui.templates.exchange.outgoing import Outgoing, chat

_LANGFUSE_KEYS: Final = ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")
_MLFLOW_ADDRESSES: Final = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")


class RegistryError(SpotuiError):
    """A registry that does not take a prompt."""


def register(registry: str, name: str, outgoing: Outgoing, notes: Notes) -> str:
    """Add a prompt to a registry.

    Args:
        registry: `langfuse` or `mlflow`.
        name: What the prompt is called there; a name that is there gets another version.
        outgoing: The prompt.
        notes: Takes what has no place there.

    Returns:
        The number of the new version.

    Raises:
        RegistryError: The package is not installed, an address or key is missing, or the registry refuses it.
    """
    add = _REGISTRIES[registry]
    if outgoing.has_history:
        what = _("The turns before the question are left out.")
        notes.add(outgoing.project, what, _("A registry keeps prompts, and no rows."))
    try:
        return add(name, outgoing)
    except SpotuiError:
        raise
    except Exception as error:
        told = " ".join(str(error).split())[:300] or type(error).__name__
        raise RegistryError(
            _("{registry} does not take the prompt: {error}", registry=registry, error=_masked(told)),
            _("Check its address, the keys and the name; --as chooses another one."),
        ) from error


def _langfuse(name: str, outgoing: Outgoing) -> str:
    missing = [key for key in _LANGFUSE_KEYS if not os.environ.get(key)]
    if missing:
        raise RegistryError(
            _("{missing} is not set, so Langfuse cannot be reached.", missing=missing[0]),
            _(
                "Set {keys} and, for another address than the usual one, LANGFUSE_HOST.",
                keys=" and ".join(_LANGFUSE_KEYS),
            ),
        )
    client: Any = _package("langfuse").Langfuse(tracing_enabled=False)
    kind, prompt = _text_or_chat(outgoing)
    made = client.create_prompt(
        name=name,
        type=kind,
        prompt=prompt,
        labels=[],
        tags=["spotui"],
        config={"spotui": dict(outgoing.figures)},
        commit_message=_message(outgoing),
    )
    return str(made.version)


def _mlflow(name: str, outgoing: Outgoing) -> str:
    if not any(os.environ.get(variable) for variable in _MLFLOW_ADDRESSES):
        raise RegistryError(
            _("{variable} is not set, so MLflow cannot be reached.", variable=_MLFLOW_ADDRESSES[0]),
            _("Set it to the address of the server, or to a folder, e.g. file:///home/me/mlruns."),
        )
    package = _package("mlflow")
    kind, prompt = _text_or_chat(outgoing)
    made = import_module(f"{package.__name__}.genai").register_prompt(
        name=name,
        template=prompt if kind == "text" else [{**one} for one in prompt],
        commit_message=_message(outgoing),
        tags={f"spotui.{key}": _tag(value) for key, value in outgoing.figures.items()},
    )
    return str(made.version)


def _text_or_chat(outgoing: Outgoing) -> tuple[str, Any]:
    """A text where only the user speaks, and a chat otherwise."""
    messages = chat(outgoing)
    if len(messages) == 1 and messages[0]["role"] == "user":
        return "text", messages[0]["content"]
    return "chat", messages


def _message(outgoing: Outgoing) -> str:
    return f"spotui: {outgoing.title}"


def _tag(value: Any) -> str:
    return str(value) if not isinstance(value, list | tuple) else ", ".join(map(str, value))


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise RegistryError(
            _("The package {name} is not installed.", name=name),
            _("Install it with `pip install 'spotui[{name}]'`.", name=name),
        ) from None


def _masked(text: str) -> str:
    """The text without the keys of the environment."""
    for variable in (*_LANGFUSE_KEYS, "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"):
        if secret := os.environ.get(variable):
            text = text.replace(secret, "***")
    return text


_REGISTRIES: Final[Mapping[str, Callable[[str, Outgoing], str]]] = {"langfuse": _langfuse, "mlflow": _mlflow}
