"""The formats that can be imported, and which of them a source has."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Final, NamedTuple

from spotui.domain.errors import nearest
from spotui.lang import _
from spotui.templates.exchange.imported import Imported, SourceError
from spotui.templates.exchange.source import Source, listed


class Format(NamedTuple):
    """A format of sources.

    Attributes:
        name: What `--from` calls it.
        title: What people call it.
        recognises: Whether a source has it.
        read: The templates of a source.
    """

    name: str
    title: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], list[Imported]]


_MODULES: Final[Mapping[str, tuple[str, str]]] = {
    "promptfoo": ("promptfoo", "promptfoo"),
    "chat": ("conversations", "chat messages (JSONL)"),
    "sharegpt": ("conversations", "ShareGPT"),
    "alpaca": ("conversations", "Alpaca"),
    "openai-evals": ("openai_evals", "OpenAI evals (registry or samples)"),
    "openai": ("openai_evals", "OpenAI (eval or data set)"),
    "langfuse": ("traces", "Langfuse"),
    "langsmith": ("traces", "LangSmith"),
    "phoenix": ("traces", "Phoenix"),
    "dspy": ("dspy", "DSPy program"),
    "hugging-face": ("hugging_face", "Hugging Face data set"),
    "gpo": ("published", "GPO"),
    "bbh": ("published", "BIG-bench"),
    "mmlu": ("published", "MMLU"),
    "gsm8k": ("published", "GSM8K"),
    "wsc": ("published", "Winograd schemas"),
    "webnlg": ("published", "WebNLG"),
}
"""The module of each format, and its title."""

NAMES: Final = tuple(_MODULES)


def formats() -> list[Format]:
    """Every format."""
    return [format_of(name) for name in NAMES]


def format_of(name: str) -> Format:
    """The format of a name.

    Raises:
        SourceError: There is none.
    """
    if name not in _MODULES:
        meant = nearest(name, NAMES)
        hint = (
            _("Did you mean {meant}?", meant=meant)
            if meant
            else _("The formats are {names}.", names=", ".join(NAMES))
        )
        raise SourceError(_("Unknown format {name!r}.", name=name[:40]), hint)
    module, title = _MODULES[name]
    found = import_module(f"spotui.templates.exchange.{module}")
    word = name.replace("-", "_")
    recognises = getattr(found, f"recognises_{word}", None) or found.recognises
    read = getattr(found, f"read_{word}", None) or found.read
    return Format(name, title, recognises, read)


def recognise(source: Source) -> Format:
    """The format of a source.

    Raises:
        SourceError: It has none that is known, or it may have several.
    """
    found: list[Format] = []
    broken: SourceError | None = None
    for one in formats():
        try:
            if one.recognises(source):
                found.append(one)
        except SourceError as error:
            if not source.is_folder:
                raise
            broken = broken or error  # a file of the folder, which need not be part of what is imported
    if not found and broken is not None:
        raise broken
    if len(found) == 1:
        return found[0]
    if found:
        raise SourceError(
            _("{name} may be {names}.", name=source.name, names=", ".join(one.title for one in found)),
            _("Say which, e.g. --from {name}.", name=found[0].name),
        )
    raise SourceError(_("{name} has no format that spotui can import.", name=source.name), _inside(source))


def read_source(source: Source, name: str | None = None) -> tuple[Format, list[Imported]]:
    """The templates of a source.

    Args:
        source: The source; its notes say what was left out.
        name: Its format, or None to recognize it.

    Raises:
        SourceError: It cannot be read.
    """
    chosen = format_of(name) if name else recognise(source)
    imported = chosen.read(source)
    if not imported:
        raise SourceError(
            _("{name} holds nothing to import as {title}.", name=source.name, title=chosen.title),
            _("Check the path, or name another format with --from."),
        )
    return chosen, imported


def _inside(source: Source) -> str:
    """What to do about a source whose format is not known."""
    if source.is_folder:
        files: Sequence[str] = sorted(source.names)
        if files:
            return _("Name a file in it, e.g. {files}, or its format with --from.", files=listed(files[:3]))
        return _("The folder is empty.")
    columns = list(source.sample[0]) if source.sample else []
    if columns:
        return _(
            "Its columns are {columns}. A template can use such a file directly: name it below `data:`.",
            columns=listed(columns),
        )
    return _("The formats are {names}; name one with --from.", names=", ".join(NAMES))
