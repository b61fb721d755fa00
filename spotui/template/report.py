"""Collects what is wrong with a template while it is read, and words what several readers have to say."""

from spotui.marked_yaml.marks import Entry, MappingNode, Node, ScalarNode, SequenceNode
from spotui.nearest import nearest
from spotui.template.model import Problem


class Report:
    """The problems found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, key: str, line: int, what: str, mend: str) -> None:
        """Note something that keeps the template from being used."""
        self.problems.append(Problem("error", key, line, what, mend))

    def warn(self, key: str, line: int, what: str, mend: str) -> None:
        """Note something that is probably not meant."""
        self.problems.append(Problem("warning", key, line, what, mend))

    def unknown(
        self, mapping: MappingNode, known: tuple[str, ...], path: str, whose: str
    ) -> dict[str, Entry]:
        """Warn of the keys that mean nothing.

        Args:
            mapping: Whose keys to look at.
            known: The keys that mean something.
            path: What to put before a key to say where it is.
            whose: What the mapping is, such as "a template".

        Returns:
            The keys that are probably misspelt, by what was meant.
        """
        misspelt: dict[str, Entry] = {}
        for name, entry in mapping.entries.items():
            if name in known:
                continue
            meant = nearest(name, known)
            if meant:
                misspelt.setdefault(meant, entry)
            mend = f"Did you mean `{meant}`?" if meant else f"Delete it, or use one of {', '.join(known)}."
            self.warn(
                f"{path}{name}",
                entry.key.line,
                f"`{short(name)}` is not a key of {whose} and is ignored.",
                mend,
            )
        return misspelt


def text_of(node: Node) -> str | None:
    """The text of a single value, whatever type it looks like; None when it is a list or a mapping."""
    if not isinstance(node, ScalarNode):
        return None
    return "" if node.is_null else node.text


def kind(node: Node) -> str:
    """What a value is, for the end of a sentence."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return "a text" if text_of(node) else "empty"


def as_text(entry: Entry) -> str:
    """How to write a text where something else was understood."""
    node = entry.value
    if isinstance(node, MappingNode | SequenceNode) and node.flow:
        return "A text that begins with { or [ has to be in quotes, or on the lines below a `|`, indented."
    return f"Write a `|` after `{entry.key.text}:`, and keep the lines below it indented."


def short(text: str) -> str:
    """The text on one line, cut when it is long."""
    line = " ".join(text[:200].split())
    return line if len(line) <= 40 else line[:39] + "…"
