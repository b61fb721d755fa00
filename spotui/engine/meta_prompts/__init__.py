"""Meta-prompts: the texts with slots that steer optimizer and judge.

The engine's are here, one file each. A method declares its own and keeps their texts beside it. A user
replaces each with a file of its name, in the folder beside a template or in the config directory.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import msgspec

from spotui.domain.errors import SpotuiError, nearest
from spotui.lang import _, english
from spotui.settings import locations
from spotui.workspace.files import hint_for, read_file

_SLOT: Final = re.compile(r"\{([a-z_]+)\}")
_PART: Final = re.compile(r"(<(\w+)>\s*)\{([a-z_]+)\}(\s*</\2>)|" + _SLOT.pattern)
"""A slot with nothing else between a pair of tags, or one alone."""

_GAP: Final = "\n\n\n"

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class MetaPromptError(SpotuiError):
    """A meta-prompt that cannot be used."""


class MetaPrompt(msgspec.Struct, frozen=True):
    """A text with slots.

    Attributes:
        name: The name it is asked for by, and the name of a file that replaces it. Begin it with the name of
            your method, so that no two packages use the same one.
        text: The text; each slot occurs in it at least once, as `{slot}`.
        slots: What fills each slot, by its name.
        source: Where the text is from, for error messages; empty for one that a method declares.
        keeps_empty: Whether a pair of tags around an empty slot is kept, as in runs of earlier editions.
        folder: Where its text is, and its text in other languages; empty where it has none.

    Raises:
        MetaPromptError: The name is not one, a slot is missing, or the text has a slot that nothing fills.
    """

    name: str
    text: str
    slots: Mapping[str, str]
    source: str = ""
    keeps_empty: bool = False
    folder: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise MetaPromptError(
                f"The meta-prompt cannot be called {self.name!r}.",
                "Use small letters, digits and underscores, and begin with a letter.",
            )
        where, present = self.source or self.name, set(_SLOT.findall(self.text))
        if missing := self.slots.keys() - present:
            raise MetaPromptError(
                f"The meta-prompt {where} lacks the slot {_braced(missing)}.", "Add it to the text."
            )
        if unknown := present - self.slots.keys():
            hint = f"It can hold {_braced(self.slots)}." if self.slots else "It takes no slot."
            raise MetaPromptError(
                f"The meta-prompt {where} has the slot {_braced(unknown)}, which nothing fills.", hint
            )

    @classmethod
    def beside(cls, module: str, name: str, **slots: str) -> Self:
        """A meta-prompt whose text is the file NAME.txt beside a module.

        Args:
            module: The module's `__file__`.
            name: The name.
            slots: What fills each slot, by its name.
        """
        file = Path(module).with_name(f"{name}.txt")
        return cls(name, file.read_text(encoding="utf-8").strip(), slots, folder=str(file.parent))

    def in_language(self, language: str) -> "MetaPrompt":
        """The same meta-prompt in a language; as it is where there is no file NAME.LANGUAGE.txt beside it.

        Args:
            language: For example `zh`; empty for the language it has.
        """
        if not (language and self.folder):
            return self
        file = Path(self.folder, f"{self.name}.{language}.txt")
        return self.replaced(file.read_text(encoding="utf-8"), str(file)) if file.exists() else self

    def replaced(self, text: str, source: str, *, keeps_empty: bool = False) -> "MetaPrompt":
        """The same meta-prompt with another text.

        Raises:
            MetaPromptError: The text does not have its slots.
        """
        return MetaPrompt(self.name, text.strip(), self.slots, source, keeps_empty)

    def render(self, **values: str) -> str:
        """The text with every slot filled; braces inside the values stay as they are.

        A pair of tags around an empty slot is left out.
        """
        parts, end = _taken_apart(self.text)
        pieces: list[str] = []
        for part in parts:
            value = english(values[part.slot])  # models are asked in English
            pieces.append(part.before)
            if self.keeps_empty or not part.opening or value.strip():
                pieces += (part.opening, value, part.closing)
        filled = "".join([*pieces, end])
        while _GAP in filled:
            filled = filled.replace(_GAP, _GAP[1:])
        return filled.strip()


class _Part(NamedTuple):
    """A slot, the text before it, and the pair of tags around it, if there is one."""

    before: str
    opening: str
    slot: str
    closing: str


@cache  # a run fills a few texts thousands of times
def _taken_apart(text: str) -> tuple[tuple[_Part, ...], str]:
    """The slots of a text, and what follows the last one."""
    parts, end = [], 0
    for found in _PART.finditer(text):
        opening, _, slot, closing, alone = found.groups(default="")
        parts.append(_Part(text[end : found.start()], opening, slot or alone, closing))
        end = found.end()
    return tuple(parts), text[end:]


def _of_engine(name: str, **slots: str) -> MetaPrompt:
    return MetaPrompt.beside(__file__, name, **slots)


_DUEL: Final = {
    "requirements": "the template's requirements",
    "references": "reference answers, or nothing",
    "answers_a": "the answers of A",
    "answers_b": "the answers of B",
}
_PROBLEM: Final = "what is wrong with the reply, one sentence"

OF_ROWS: Final = (
    _of_engine(
        "mark_answer",
        criteria="the criteria",
        question="the row's question",
        references="its reference answers, or nothing",
        answer="the answer to grade",
        scale="which grades there are",
    ),
    _of_engine("mark_repair", problem=_PROBLEM),
)
"""Those that only runs with rows use."""

OF_TOOLS: Final = (
    _of_engine(
        "headroom_propose",
        task="what the template is for",
        current="its prompt",
        examples="some questions with the answers to it and their marks",
        change="what to do, the word limit and the slots of the prompt",
    ),
    _of_engine(
        "judge_tune",
        how="what the judge does",
        criteria="the criteria it decides by",
        examples="cases that people decided otherwise",
    ),
    _of_engine("migrate_goal", requirements="the template's requirements"),
    _of_engine(
        "write_rows",
        prompt="the template's prompt",
        requirements="the template's requirements",
        examples="rows that there are",
        count="how many are wanted",
        fields="the parts of a row, a line each",
        form="the form of a row",
    ),
)
"""Those that no run uses."""

OF_ENGINE: Final = (
    _of_engine("spo_repair", problem=_PROBLEM),
    _of_engine(
        "propose_hinted",
        question="what the method asks the optimizer",
        hint="what a person wants of the next candidates",
    ),
    _of_engine("judge_duel", **_DUEL),
    _of_engine("judge_duel_json", **_DUEL),
    _of_engine("judge_token", **_DUEL),
    _of_engine("judge_likelihood", requirements="the template's requirements", question="the question"),
    _of_engine("judge_repair", problem=_PROBLEM),
    _of_engine("judge_repair_json", problem=_PROBLEM),
    _of_engine("execute_repair", problem=_PROBLEM),
    *OF_ROWS,
    *OF_TOOLS,
)
"""Those of the verbs, which every method has."""


class MetaPrompts:
    """The meta-prompts of one run: those of the verbs, and those that its method declares.

    Args:
        folders: Folders with replacements, the one that takes precedence first; they need not exist.
        declared: The meta-prompts of the method.
        language: The language of the template, for example `zh`; empty for English.

    Raises:
        MetaPromptError: A replacement is broken.
    """

    def __init__(self, *folders: Path, declared: Iterable[MetaPrompt] = (), language: str = "") -> None:
        texts = (one.in_language(language) for one in (*OF_ENGINE, *declared))
        self._prompts = {one.name: _replaced(one, folders) for one in texts}

    @classmethod
    def stored(
        cls,
        texts: Mapping[str, str],
        source: str,
        *,
        declared: Iterable[MetaPrompt] = (),
        keeps_empty: bool = False,
    ) -> Self:
        """Those that a run was set up with; the shipped text where it has none of a name.

        Args:
            texts: As `texts` gave them; none in the first runs, which had the texts of `first.json`.
            source: Where they were kept, for error messages.
            declared: The meta-prompts of the run's method.
            keeps_empty: Whether a pair of tags around an empty slot is kept.

        Raises:
            MetaPromptError: One of them is broken.
        """
        kept = cls(declared=declared)
        if not texts:
            texts = msgspec.json.decode(
                Path(__file__).with_name("first.json").read_bytes(), type=dict[str, str]
            )
        for name in kept._prompts.keys() & texts.keys():
            kept._prompts[name] = kept._prompts[name].replaced(
                texts[name], f"{name} in {source}", keeps_empty=keeps_empty
            )
        return kept

    @property
    def texts(self) -> dict[str, str]:
        """Every text by its name."""
        return {name: prompt.text for name, prompt in self._prompts.items()}

    def texts_for(self, *, with_rows: bool) -> dict[str, str]:
        """The texts that one run uses, by name.

        Args:
            with_rows: Whether it has rows.
        """
        unused = {one.name for one in (*OF_TOOLS, *(() if with_rows else OF_ROWS))}
        return {name: text for name, text in self.texts.items() if name not in unused}

    def __getitem__(self, name: str) -> MetaPrompt:
        if name not in self._prompts:
            raise LookupError(f"the meta-prompt {name!r} is not declared by the method")
        return self._prompts[name]


def folder_beside(template: Path) -> Path:
    """The folder with a template's own meta-prompts: `poem.prompts` beside `poem.yaml`."""
    return template.with_name(f"{template.stem}.prompts")


def replacements(folders: Iterable[Path]) -> dict[str, Path]:
    """The replacements in some folders, by the name of the meta-prompt that each is for."""
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.txt"))}


def refuse_unknown(files: Mapping[str, Path], names: Iterable[str]) -> None:
    """Make sure that every replacement has the name of a meta-prompt.

    Args:
        files: The replacements, by name.
        names: The names of all meta-prompts.

    Raises:
        MetaPromptError: One has another name.
    """
    names = sorted(names)
    for name, path in files.items():
        if name not in names:
            near = nearest(name, names)
            hint = (
                _("Did you mean {near}.txt?", near=near)
                if near
                else _("The names are {names}.", names=", ".join(names))
            )
            what = _("{path} is not a meta-prompt: no method uses one of that name.", path=path)
            raise MetaPromptError(what, hint)


def _replaced(declared: MetaPrompt, folders: Sequence[Path]) -> MetaPrompt:
    path = next((path for folder in folders if (path := folder / f"{declared.name}.txt").exists()), None)
    if path is None:
        return declared
    # The folder beside a template may come from somebody else: a link in it could lead to any file, and what
    # it leads to would be sent to a model.
    is_own = path.parent == locations.meta_prompts_dir()
    try:
        return declared.replaced(read_file(path.resolve() if is_own else path).decode(), str(path))
    except OSError as error:
        what = _("The meta-prompt {path} cannot be read: {error}.", path=path, error=error.strerror)
        raise MetaPromptError(what, hint_for(error, _("Check its permissions."))) from None
    except UnicodeDecodeError as error:
        what = _("The meta-prompt {path} cannot be read: {error}.", path=path, error=error)
        raise MetaPromptError(what) from None


def _braced(names: Iterable[Any]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
