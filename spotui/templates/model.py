"""What a template is, and what can be wrong with one."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from spotui.domain.errors import SpotuiError, nearest
from spotui.lang import _
from spotui.templates.yaml.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode

NONE: Final = "None"
"""The text that stands for "empty" in SPO's templates."""

KEYS: Final = (
    "prompt",
    "prompts",
    "position",
    "messages",
    "tools",
    "response_format",
    "requirements",
    "count",
    "qa",
    "faq",
    "judged_on",
    "method",
    "spo",
    "parameters",
    "models",
    "data",
    "metric",
    "criteria",
    "source",
)
"""The keys of a template in the order they are written; `faq` is SPO's other name for `qa`."""

SECTIONS: Final = (
    *("position", "messages", "tools", "response_format", "judged_on"),
    *("spo", "parameters", "data", "metric", "criteria", "source"),
)
"""The keys that are kept as the file has them, and read by `templates.sections`."""

ROLES: Final = ("optimizer", "evaluator", "executor")

Severity = Literal["error", "warning"]


def without_none(text: str) -> str:
    """The text, or nothing when it is blank or the word `None`, which people write for nothing.

    `none` and `null` mean it, too; `~` and a bare `null` are nothing to YAML itself.
    """
    return "" if text.strip().casefold() in ("", "none", "null") else text


def _model(model: str | dict[str, Any]) -> str | dict[str, Any]:
    return without_none(model).strip() if isinstance(model, str) else model


def _something(value: Any) -> Any:
    """What a file has at an optional key; None where it is nothing, or a list of nothing."""
    if isinstance(value, str):
        return value if without_none(value) else None
    return None if isinstance(value, list) and not any(map(_something, value)) else value


_USERS: Final = ("user", "human", "prompter")


class QA(msgspec.Struct, frozen=True):
    """A question and what a good answer to it is like; an `answer` that is the word `None` becomes empty.

    An answer may be the word `none`: only SPO's own spelling is nothing.

    Attributes:
        question: What is asked; the last turn of the user, in a conversation.
        answer: What a good answer is like; empty where there is none.
        conversation: The list of messages that stands in place of the question, as JSON; empty for a text.
        turns: What the user says afterwards, one text a turn.
        files: Paths and addresses of the images and files that are sent with the question.
        synthetic: Whether a model wrote it; it is never held out or in the test split, unless asked for.
    """

    question: str
    answer: str = ""
    conversation: str = ""
    turns: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    synthetic: bool = False

    def __post_init__(self) -> None:
        if self.answer.strip() == NONE:
            msgspec.structs.force_setattr(self, "answer", "")
        if self.conversation:  # equal for equal questions, whichever of the two was changed
            written = msgspec.json.encode(self.messages).decode()
            msgspec.structs.force_setattr(self, "conversation", written)

    @property
    def messages(self) -> list[Any]:
        """The list of messages in place of the question, with the question as its last user's turn."""
        found: list[Any] = msgspec.json.decode(self.conversation or "[]")
        for one in reversed(found):
            for role, content in (("role", "content"), ("from", "value")):
                if isinstance(one, dict) and str(one.get(role)).strip().casefold() in _USERS:
                    parts = one.get(content)
                    texts = [each for each in parts if "text" in each] if isinstance(parts, list) else []
                    if len(texts) == 1:
                        texts[0]["text"] = self.question
                    elif isinstance(parts, str):
                        one[content] = self.question
                    return found
        return found

    @property
    def data(self) -> dict[str, Any]:
        """The same as the keys of a template have it; no answer is left out."""
        more = {"turns": list(self.turns), "files": list(self.files), "synthetic": self.synthetic}
        question = self.messages if self.conversation else self.question
        return {"question": question, "answer": self.answer, **{key: one for key, one in more.items() if one}}


class Template(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person wants optimized.

    A text that is the word `None` becomes empty, here as in a file: once they are written down, the two
    cannot be distinguished. Only a question may be `None`.

    Attributes:
        prompt: The prompt to start from; empty where a method writes new ones and edits none. Where a program
            has several, it holds them all (see `domain.program_prompts`).
        parts: The names of these.
        requirements: What a good answer is like.
        count: The most words a prompt may have, at least 1, or None for no limit.
        qa: The questions to try prompts on.
        method: The name of the method, or None for the user's default.
        models: What the template says of the roles: a model id, or a mapping of settings.
        position: Where the prompt stands when a question is asked, as the file has it.
        messages: Fixed messages around prompt and question, as the file has them.
        tools: The tools that the executor may call, as the file has them.
        response_format: The form of its answers, as the file has it.
        judged_on: What of a conversation is judged, as the file has it.
        spo: Whether SPO is the algorithm of its paper, as the file has it.
        parameters: The method's parameters, as the file has them.
        data: Where more rows come from, as the file has it.
        metric: How answers are scored, as the file has it.
        criteria: What a judge looks for, as the file has it.
        source: What the template was imported from, as the file has it.
    """

    prompt: str
    parts: tuple[str, ...] = ()
    requirements: str = ""
    count: int | None = None
    qa: tuple[QA, ...] = ()
    method: str | None = None
    models: dict[str, str | dict[str, Any]] = {}
    position: Any = None
    messages: Any = None
    tools: Any = None
    response_format: Any = None
    judged_on: Any = None
    spo: Any = None
    parameters: Any = None
    data: Any = None
    metric: Any = None
    criteria: Any = None
    source: Any = None

    def __post_init__(self) -> None:
        set_ = msgspec.structs.force_setattr
        set_(self, "prompt", without_none(self.prompt))
        set_(self, "requirements", without_none(self.requirements))
        set_(self, "method", without_none(self.method or "").strip() or None)
        set_(self, "models", {role: model for role, each in self.models.items() if (model := _model(each))})
        for key in SECTIONS:
            set_(self, key, _something(getattr(self, key)))


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a template file.

    Attributes:
        severity: An `error` keeps the template from being used, a `warning` does not.
        key: Where it is, such as `qa[2].question` for the second question; empty for the file as a whole.
        line: Counted from 1; 0 when the file could not be read at all.
        what: What is wrong.
        hint: What to do about it.
    """

    severity: Severity
    key: str
    line: int
    what: str
    hint: str

    def __str__(self) -> str:
        place = f"Line {self.line}: " if self.line else ""
        return f"{place}{self.what} {self.hint}".rstrip()


class TemplateError(SpotuiError):
    """A template that cannot be used, read or saved.

    Args:
        name: The file, as the user knows it.
        problems: Everything that is wrong, with at least one error; warnings may be among them.
    """

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        if len(errors) == 1:
            place = f"{name}, line {errors[0].line}" if errors[0].line else name
            super().__init__(f"{place}: {errors[0].what}", errors[0].hint)
        else:
            super().__init__(
                "\n".join(
                    [
                        _("{name}: {errors} things are wrong.", name=name, errors=len(errors)),
                        *map("- {}".format, errors),
                    ]
                )
            )
        self.name = name
        self.problems = tuple(problems)


class Report:
    """The problems found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, key: str, line: int, what: str, hint: str) -> None:
        """Note something that keeps the template from being used."""
        self.problems.append(Problem("error", key, line, what, hint))

    def warn(self, key: str, line: int, what: str, hint: str) -> None:
        """Note something that is probably not meant."""
        self.problems.append(Problem("warning", key, line, what, hint))

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
            hint = (
                _("Did you mean `{meant}`?", meant=meant)
                if meant
                else _("Delete it, or use one of {known}.", known=", ".join(known))
            )
            self.warn(
                f"{path}{name}",
                entry.key.line,
                _("`{name}` is not a key of {whose} and is ignored.", name=short(name), whose=whose),
                hint,
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
        return _("A text that begins with { or [ has to be in quotes, or on the lines below a `|`, indented.")
    return _("Write a `|` after `{key}:`, and keep the lines below it indented.", key=entry.key.text)


def short(text: str) -> str:
    """The text on one line, cut when it is long."""
    line = " ".join(text[:200].split())
    return line if len(line) <= 40 else line[:39] + "…"
