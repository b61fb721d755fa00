"""From a YAML tree to a template, with everything that is wrong on the way."""

import re
from typing import Any, Final

from spotui.marked_yaml.marks import Entry, MappingNode, Node, ScalarNode
from spotui.nearest import nearest
from spotui.template.model import KEYS, NONE, QA, ROLES, SCORING, Problem, Template, without_none
from spotui.template.report import Report, as_text, kind, short, text_of
from spotui.template.rows import HOW_TO_LIST, read_rows

_WHOLE: Final = re.compile(r"[0-9]{1,9}")


def interpret(root: Node) -> tuple[Template, list[Problem]]:
    """Read what can be read.

    Args:
        root: The whole file.

    Returns:
        The template, with empty fields where the file has nothing usable, and the problems by line.
    """
    report = Report()
    if isinstance(root, MappingNode):
        template = _Reader(root, report).template()
    else:
        mend = "Begin with `prompt:`, `requirements:` and `qa:`; the bundled examples show how."
        report.error("", root.line, "This is not a template: it has no keys.", mend)
        template = Template(prompt="")
    return template, sorted(report.problems, key=lambda problem: problem.line)


def name_of_rows(root: MappingNode) -> str:
    """What the file calls its list of questions: `qa` or `faq`."""
    return "faq" if "faq" in root.entries and "qa" not in root.entries else "qa"


class _Reader:
    def __init__(self, root: MappingNode, report: Report) -> None:
        self._root = root
        self._report = report
        self._misspelt = report.unknown(root, KEYS, "", "a template")

    def template(self) -> Template:
        self._check_scoring()
        return Template(
            prompt=self._prompt(),
            requirements=self._requirements(),
            count=self._count(),
            qa=self._rows(),
            method=self._method(),
            models=self._models(),
            **{key: self._plain(key) for key in SCORING},
        )

    def _prompt(self) -> str:
        mend = "Write the prompt that the optimization starts from; one short sentence is enough."
        prompt = self._text("prompt", mend)
        if prompt is not None and not without_none(prompt):
            what = "The prompt is empty. A run starts from what the model answers without one."
            self._report.warn("prompt", self._line("prompt"), what, mend)
        return prompt or ""

    def _requirements(self) -> str:
        mend = f"Say in a sentence or two what a good answer is like, or write `requirements: {NONE}`."
        requirements = self._text("requirements", mend)
        if requirements is not None and not requirements.strip():
            what = "The requirements are empty, so a judge has only its own taste."
            self._report.warn("requirements", self._line("requirements"), what, mend)
        return requirements or ""

    def _count(self) -> int | None:
        entry = self._entry("count")
        text = text_of(entry.value) if entry else ""
        if entry is None or (text is not None and not without_none(text)):
            return None
        if text is not None and _WHOLE.fullmatch(text.strip()) and int(text):
            return int(text)
        found = kind(entry.value) if text is None else f"`{short(text)}`"
        what = f"`count` is the most words that a prompt may have, a whole number from 1 on, not {found}."
        mend = f"Write a number only, such as `count: 50`, or `count: {NONE}` for no limit."
        self._report.error("count", entry.key.line, what, mend)
        return None

    def _rows(self) -> tuple[QA, ...]:
        key = name_of_rows(self._root)
        entry = self._entry(key)
        if key == "qa" and self._entry("faq"):
            what = "`faq` is another name for `qa`, and the file has both."
            self._report.error("faq", self._line("faq"), what, "Move all questions into one of them.")
        data = self._plain("data")
        if (without_none(data) if isinstance(data, str) else data) and (
            entry is None or not entry.value.data()
        ):
            return ()  # the rows come from a data file
        if entry is None:
            self._missing("qa", HOW_TO_LIST)
            return ()
        return read_rows(self._report, key, entry)

    def _check_scoring(self) -> None:
        if self._root.entries.keys().isdisjoint(SCORING):
            return
        from spotui.template.scoring import check_scoring

        entry = self._entry(name_of_rows(self._root))
        check_scoring(self._report, self._root, has_questions=bool(entry and entry.value.data()))

    def _method(self) -> str | None:
        entry = self._entry("method")
        if entry is None:
            return None
        method = text_of(entry.value)
        if method is None:
            what = f"`method` should be the name of a method, but it is {kind(entry.value)}."
            self._report.error("method", entry.key.line, what, "Write one name, such as `method: spo`.")
        return method

    def _models(self) -> dict[str, str | dict[str, Any]]:
        entry = self._entry("models")
        if entry is None or (
            isinstance(entry.value, ScalarNode) and not without_none(text_of(entry.value) or "")
        ):
            return {}
        if not isinstance(entry.value, MappingNode):
            what = f"`models` should name a model for each role, but it is {kind(entry.value)}."
            mend = "Below `models:`, write lines such as `  executor: gpt-4o-mini`."
            self._report.error("models", entry.key.line, what, mend)
            return {}
        found = {role: self._model(role, each) for role, each in entry.value.entries.items()}
        return {role: model for role, model in found.items() if model is not None}

    def _model(self, role: str, entry: Entry) -> str | dict[str, Any] | None:
        key, line, model = f"models.{role}", entry.key.line, entry.value
        if role not in ROLES:
            meant = nearest(role, ROLES)
            mend = f"Did you mean `{meant}`?" if meant else f"The roles are {', '.join(ROLES)}."
            self._report.error(key, line, f"There is no role `{short(role)}`.", mend)
            return None
        if isinstance(model, MappingNode):
            return {name: each.value.data() for name, each in model.entries.items()}
        name = without_none(text_of(model) or "").strip()
        if not name:
            found = "empty" if isinstance(model, ScalarNode) else kind(model)
            mend = f"Write a model's id, such as `{role}: gpt-4o-mini`, or delete the line."
            self._report.error(key, line, f"The model of the {role} is {found}.", mend)
        return name or None

    def _text(self, key: str, mend: str) -> str | None:
        """The text at a key that has to be there; None when it is missing or no text."""
        entry = self._entry(key)
        if entry is None:
            self._missing(key, mend)
            return None
        text = text_of(entry.value)
        if text is None:
            what = f"`{key}` should be a text, but it is {kind(entry.value)}."
            self._report.error(key, entry.key.line, what, as_text(entry))
        return text

    def _missing(self, key: str, mend: str) -> None:
        meant = self._misspelt.get(key) or (self._misspelt.get("faq") if key == "qa" else None)
        if meant is not None:
            mend = f"Rename `{meant.key.text}` on line {meant.key.line} to `{key}`."
        self._report.error(key, self._root.line, f"`{key}` is missing.", mend)

    def _plain(self, key: str) -> Any:
        entry = self._entry(key)
        return entry.value.data() if entry else None

    def _entry(self, key: str) -> Entry | None:
        return self._root.entries.get(key)

    def _line(self, key: str) -> int:
        return self._root.entries[key].key.line
