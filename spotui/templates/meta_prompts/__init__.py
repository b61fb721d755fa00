"""The texts that steer optimizer and judge: files with slots, each of which a user can replace.

A file of the same name in the folder beside a template, or else in the user's own folder, stands in for the
shipped one.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

from spotui.domain.errors import SpotuiError, nearest
from spotui.settings import locations
from spotui.workspace.files import hint_for, read_file

_DUEL = frozenset({"requirements", "references", "answers_a", "answers_b"})

SLOTS: dict[str, frozenset[str]] = {
    "spo_propose": frozenset({"requirements", "prompt", "answers", "references", "limit"}),
    "spo_repair": frozenset({"problem"}),
    "judge_duel": _DUEL,
    "judge_duel_json": _DUEL,
    "judge_token": _DUEL,
    "judge_likelihood": frozenset({"requirements", "question"}),
    "judge_repair": frozenset({"problem"}),
    "judge_repair_json": frozenset({"problem"}),
    "execute_repair": frozenset({"problem"}),
    "mark_answer": frozenset({"criteria", "question", "references", "answer", "scale"}),
    "mark_repair": frozenset({"problem"}),
    "gpo_propose": frozenset({"task", "past", "score", "current", "reflection", "examples", "change"}),
    "gpo_reflect": frozenset({"task", "prompt", "failures"}),
    "gradsum_gradient": frozenset({"task", "prompt", "input", "response", "criteria", "reason"}),
    "gradsum_summarize": frozenset({"task", "gradients"}),
    "gradsum_edit": frozenset({"task", "current", "summary", "change"}),
    "gpo_summarize": frozenset({"task", "summary", "latest"}),
}

OF_ROWS = frozenset({"mark_answer", "mark_repair"})
"""Those that only runs with rows use."""

_OF_METHODS = frozenset(name for name in SLOTS if name.startswith(("spo_", "gpo_", "gradsum_"))) - {
    "spo_repair"
}

_SLOT = re.compile(r"\{([a-z_]+)\}")
_BLOCK = re.compile(r"<(\w+)>\s*\{([a-z_]+)\}\s*</\1>")
"""A slot that is all there is between a pair of tags."""


class MetaPromptError(SpotuiError):
    """A meta-prompt that cannot be used as it is."""


class MetaPrompt:
    """A text with slots.

    Args:
        name: One of `SLOTS`.
        text: The text; every slot of that name must stand in it once or more.
        source: Where it came from, for error messages.
        keeps_empty: Whether a pair of tags that would hold nothing is kept, as in runs of earlier editions.

    Raises:
        MetaPromptError: A slot is missing, or one stands there that nothing would fill.
    """

    def __init__(self, name: str, text: str, source: str, *, keeps_empty: bool = False) -> None:
        self.name = name
        self._keeps_empty = keeps_empty
        self.text = text.strip()
        found = set(_SLOT.findall(self.text))
        if missing := SLOTS[name] - found:
            raise MetaPromptError(
                f"The meta-prompt {source} lacks the slot {_braced(missing)}.",
                "Put it back where its text belongs.",
            )
        if unknown := found - SLOTS[name]:
            raise MetaPromptError(
                f"The meta-prompt {source} has the slot {_braced(unknown)}, which nothing fills.",
                f"It can hold {_braced(SLOTS[name])}.",
            )

    def render(self, **values: str) -> str:
        """The text with every slot filled; braces inside the values stay as they are.

        A pair of tags that would hold nothing is left out.
        """

        def unless_empty(block: re.Match[str]) -> str:
            return block[0] if self._keeps_empty or values[block[2]].strip() else ""

        filled = _SLOT.sub(lambda match: values[match[1]], _BLOCK.sub(unless_empty, self.text))
        return re.sub(r"\n{3,}", "\n\n", filled).strip()


class MetaPrompts:
    """The meta-prompts of one run.

    Args:
        own: Folders of replacements, the most special first; they need not exist.

    Raises:
        MetaPromptError: A replacement is broken, or has a name that nothing asks for.
    """

    def __init__(self, *own: Path) -> None:
        for folder in own:
            _check_names(folder)
        self._prompts = {name: _load(name, own) for name in SLOTS}

    @classmethod
    def kept(cls, texts: Mapping[str, str], source: str, *, keeps_empty: bool = False) -> Self:
        """Those a run was set up with; the shipped one where it has none of a name.

        Args:
            texts: As `texts` gave them.
            source: Where they were kept, for error messages.
            keeps_empty: Whether a pair of tags that would hold nothing is kept.

        Raises:
            MetaPromptError: One of them is broken.
        """
        found = cls()
        for name in SLOTS.keys() & texts.keys():
            found._prompts[name] = MetaPrompt(
                name, texts[name], f"{name} in {source}", keeps_empty=keeps_empty
            )
        return found

    @property
    def texts(self) -> dict[str, str]:
        """Every text by its name."""
        return {name: prompt.text for name, prompt in self._prompts.items()}

    def texts_for(self, own: Collection[str] | None, *, with_rows: bool) -> dict[str, str]:
        """The texts that one run uses, by name.

        Args:
            own: The names of those that its method uses itself, or None for all.
            with_rows: Whether it has rows.
        """
        if own is None:
            return self.texts
        unused = (_OF_METHODS - {*own}) | (frozenset() if with_rows else OF_ROWS)
        return {name: text for name, text in self.texts.items() if name not in unused}

    def __getitem__(self, name: str) -> MetaPrompt:
        return self._prompts[name]


def folder_beside(template: Path) -> Path:
    """Where a template's own meta-prompts are: `poem.prompts` beside `poem.yaml`."""
    return template.with_name(f"{template.stem}.prompts")


def _check_names(folder: Path) -> None:
    for path in sorted(folder.glob("*.txt")):
        if path.stem not in SLOTS:
            near = nearest(path.stem, SLOTS)
            mend = f"Did you mean {near}.txt?" if near else f"The names are {', '.join(sorted(SLOTS))}."
            raise MetaPromptError(f"{path} is no meta-prompt: nothing asks for one of that name.", mend)


def _load(name: str, own: Sequence[Path]) -> MetaPrompt:
    shipped = Path(__file__).with_name(f"{name}.txt")
    path = next((path for folder in own if (path := folder / f"{name}.txt").exists()), shipped)
    # The folder beside a template may come from somebody else: a link in it could lead to any file, and what
    # it leads to would be sent to a model.
    is_own = path.parent in (locations.meta_prompts_dir(), shipped.parent)
    try:
        return MetaPrompt(name, read_file(path.resolve() if is_own else path).decode(), str(path))
    except OSError as error:
        what = f"The meta-prompt {path} cannot be read: {error.strerror}."
        raise MetaPromptError(what, hint_for(error, "Check its permissions.")) from None
    except UnicodeDecodeError as error:
        raise MetaPromptError(f"The meta-prompt {path} cannot be read: {error}.") from None


def _braced(names: set[str] | frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
