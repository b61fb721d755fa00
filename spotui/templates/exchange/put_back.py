"""Replaces the prompt that was imported in its source, and leaves the rest of the source as it is."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from spotui.domain.rows import slot_names
from spotui.lang import _
from spotui.templates.exchange.braces import from_double, from_format, literal, to_double, to_format
from spotui.templates.exchange.imported import Imported, Notes, SourceError
from spotui.templates.exchange.openai_evals import of_item
from spotui.templates.exchange.registry import read_source
from spotui.templates.exchange.source import Source
from spotui.templates.origin import Origin
from spotui.templates.yaml.composer import load
from spotui.templates.yaml.edit import Editor
from spotui.templates.yaml.faults import YamlError
from spotui.templates.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Swap = Callable[[str], str | None]
"""The text in place of a text of the source; None where it stays."""

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_WITHOUT: Final = ("gpo", "bbh", "mmlu", "gsm8k", "wsc", "webnlg", "hugging-face", "phoenix")
"""Formats whose sources have no prompt."""

_LITERAL: Final = ("chat", "sharegpt", "alpaca", "openai-evals", "dspy")
"""Formats whose prompts have no variables."""


def put_back(source: Source, origin: Origin, seed: str, prompt: str) -> list[tuple[Path, str]]:
    """The files of a source with another prompt.

    Args:
        source: The source, as it is now.
        origin: What leads to the prompt in it.
        seed: The prompt that was imported.
        prompt: The prompt that replaces it.

    Returns:
        The files that change, with their new texts.

    Raises:
        SourceError: The source cannot be read, has no prompt, or has changed.
    """
    if origin.format in _WITHOUT:
        raise SourceError(
            _("{path} has no prompt that could be replaced.", path=source.path),
            _("Export the prompt alone: --to txt"),
        )
    _format, imported = read_source(source, origin.format)
    _find(source, imported, origin, seed)
    swap = _swap(origin.format, seed, prompt, source)
    changed = []
    for path in source.read_files:
        old = source.text(path)
        new = _replaced(path, old, swap)
        if new != old:
            changed.append((path, new))
    if not changed:
        raise SourceError(
            _("The prompt is not in {path} as a text that could be replaced.", path=source.path),
            _("Export it alone, --to txt, and put it there yourself."),
        )
    return changed


def _find(source: Source, imported: Sequence[Imported], origin: Origin, seed: str) -> Imported:
    """The template that was imported.

    Raises:
        SourceError: Its prompt is another one now.
    """
    same = [one for one in imported if one.prompt.strip() == seed.strip()]
    exact = [one for one in same if all(one.origin.get(key) == value for key, value in origin.detail.items())]
    if not same:
        raise SourceError(
            _("{path} has changed: the prompt that was imported is not in it.", path=source.path),
            _("Import it again, or export the prompt alone: --to txt"),
        )
    return (exact or same)[0]


def _swap(name: str, seed: str, prompt: str, source: Source) -> Swap:
    """What replaces the texts that are imported as the seed."""
    ignored = Notes()
    wanted = seed.strip()
    is_format = name == "langsmith"
    values = {f"env.{key}": value for key, value in source.environ.items()}

    def swap(text: str) -> str | None:
        if name in _LITERAL:
            if literal(text, ignored, "").strip() != wanted:
                return None
            new = _unliteral(prompt, text)
        elif is_format:
            found = from_format(text, ignored, "")
            if found.text.strip() != wanted:
                return None
            new = to_format(prompt, found.names)
        else:
            found = from_double(text, ignored, "", values)
            if name == "openai":
                found = of_item(found)
            if found.text.strip() != wanted:
                return None
            columns = {slot: written_in(text, column) for slot, column in found.names.items()}
            new = to_double(prompt, columns, columns)
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{before}{new.strip()}{after}"

    return swap


def written_in(text: str, column: str) -> str:
    """How a text writes the variable of a column: with its spaces, brackets and filters."""
    for found in re.finditer(r"\{\{(-?\s*.*?\s*-?)\}\}", text, re.DOTALL):
        names = from_double(found[0], Notes(), "").names
        if column in (*names.values(), *(name.removeprefix("item.") for name in names.values())):
            return found[1]
    return column


def _unliteral(prompt: str, text: str) -> str:
    """A prompt with single braces where the text that it replaces had them."""
    for name in slot_names(text):
        prompt = prompt.replace(f"{{{{{name}}}}}", f"{{{name}}}")
    return prompt


def _replaced(path: Path, text: str, swap: Swap) -> str:
    match path.suffix.lower():
        case ".yaml" | ".yml":
            return _in_yaml(text, swap)
        case ".json" | ".jsonl" | ".ndjson":
            return _in_json(text, swap)
        case ".csv" | ".tsv" | ".parquet" | ".arrow" | ".xlsx" | ".xml":
            return text
        case _:
            return _in_text(text, swap)


def _in_json(text: str, swap: Swap) -> str:
    """The text with every string replaced that has another one; the rest keeps its form."""

    def replaced(token: re.Match[str]) -> str:
        if text[token.end() :].lstrip()[:1] == ":":
            return token[0]  # a key
        try:
            value = json.loads(token[0])
        except ValueError:
            return token[0]
        new = swap(value) if isinstance(value, str) else None
        if new is None and isinstance(value, str) and value.lstrip().startswith("[") and "role" in value:
            inner = _in_json(value, swap)
            new = inner if inner != value else None
        return token[0] if new is None else json.dumps(new, ensure_ascii=token[0].isascii())

    return _STRING.sub(replaced, text)


def _in_text(text: str, swap: Swap) -> str:
    """The text with its parts between lines of dashes replaced; a text without them is one part."""
    if (whole := swap(text)) is not None:
        return whole
    parts = re.split(r"(?m)^([ \t]*---[ \t]*)$", text)
    return "".join(part if (new := swap(part)) is None or at % 2 else new for at, part in enumerate(parts))


def _in_yaml(text: str, swap: Swap) -> str:
    """The text with its values replaced; comments and order stay."""
    try:
        root = load(text, merges=True, most_repeated=1_000_000)
    except YamlError:
        return text
    if not isinstance(root, MappingNode):
        return text
    editor = Editor(text, root)
    entry = root.entries.get("prompts")
    if entry is None:
        return text
    if isinstance(entry.value, ScalarNode):
        if (new := _of_scalar(entry.value, swap)) is not None:
            editor.put(root, "prompts", new)
    else:
        _edit(editor, entry.value, swap)
    return editor.text()


def _edit(editor: Editor, node: Node, swap: Swap) -> None:
    if isinstance(node, MappingNode) and not node.alias:
        for key, entry in node.entries.items():
            if isinstance(entry.value, ScalarNode):
                if (new := _of_scalar(entry.value, swap)) is not None:
                    editor.put(node, key, new)
            else:
                _edit(editor, entry.value, swap)
    elif isinstance(node, SequenceNode) and not node.alias:
        for item in node.items:
            _edit(editor, item, swap)
        news = [_of_scalar(item, swap) if isinstance(item, ScalarNode) else None for item in node.items]
        if any(new is not None for new in news):
            editor.arrange(
                node, [item if new is None else new for item, new in zip(node.items, news, strict=True)]
            )


def _of_scalar(node: ScalarNode, swap: Swap) -> str | None:
    if (new := swap(node.text)) is not None:
        return new
    if node.text.lstrip().startswith("["):
        inner = _in_json(node.text, swap)
        return inner if inner != node.text else None
    return None
