"""Reads a template file and finds everything that is wrong with it."""

import os
import re
import stat
from pathlib import Path
from typing import Any, Final

from spotui.domain.errors import nearest
from spotui.domain.program_prompts import is_prompt_name, join_prompts
from spotui.lang import _
from spotui.templates.model import (
    KEYS,
    NONE,
    QA,
    ROLES,
    SECTIONS,
    Problem,
    Report,
    Template,
    TemplateError,
    as_text,
    kind,
    short,
    text_of,
    without_none,
)
from spotui.templates.sections import HOW_TO_LIST, ROW_KEYS, read_rows
from spotui.templates.yaml.composer import decode, load
from spotui.templates.yaml.faults import EmptyYamlError, YamlError
from spotui.templates.yaml.nodes import Entry, MappingNode, Node, ScalarNode

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
        hint = _("Begin with `prompt:`, `requirements:` and `qa:`; the bundled examples show how.")
        report.error("", root.line, _("This is not a template: it has no keys."), hint)
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
        self._check_sections()
        parts = self._prompts()
        return Template(
            prompt=join_prompts(parts) if parts else self._prompt(),
            parts=tuple(parts),
            requirements=self._requirements(),
            count=self._count(),
            qa=self._rows(),
            method=self._method(),
            models=self._models(),
            **{key: self._plain(key) for key in SECTIONS},
        )

    def _prompts(self) -> dict[str, str]:
        """The prompts of a program, by name; none where the template has one prompt alone."""
        entry = self._entry("prompts")
        if entry is None or (isinstance(entry.value, ScalarNode) and not entry.value.data()):
            return {}
        hint = _("Below `prompts:`, write a line such as `planner: ...` for each prompt.")
        if not isinstance(entry.value, MappingNode):
            what = _("`prompts` should be a mapping of names and texts.")
            self._report.error("prompts", entry.key.line, what, hint)
            return {}
        if self._entry("prompt"):
            what = _("The file has `prompt` and `prompts`.")
            self._report.error("prompt", self._line("prompt"), what, _("Delete one of them."))
        found: dict[str, str] = {}
        for name, each in entry.value.entries.items():
            text = text_of(each.value)
            if text is None or not text.strip() or not is_prompt_name(name):
                what = _("The prompt `{name}` has no text, or its name is no word.", name=short(name))
                self._report.error(f"prompts.{name}", each.key.line, what, hint)
            else:
                found[name] = text
        return found

    def _prompt(self) -> str:
        hint = _("Write the prompt that the optimization starts from; one short sentence is enough.")
        prompt = self._text("prompt", hint)
        if prompt is not None and not without_none(prompt):
            what = _("The prompt is empty. A run starts from what the model answers without one.")
            self._report.warn("prompt", self._line("prompt"), what, hint)
        return prompt or ""

    def _requirements(self) -> str:
        hint = _(
            "Say in a sentence or two what a good answer is like, or write `requirements: {none}`.", none=NONE
        )
        requirements = self._text("requirements", hint)
        if requirements is not None and not requirements.strip():
            what = _("The requirements are empty, so a judge has only its own taste.")
            self._report.warn("requirements", self._line("requirements"), what, hint)
        return requirements or ""

    def _count(self) -> int | None:
        entry = self._entry("count")
        text = text_of(entry.value) if entry else ""
        if entry is None or (text is not None and not without_none(text)):
            return None
        if text is not None and _WHOLE.fullmatch(text.strip()) and int(text):
            return int(text)
        found = kind(entry.value) if text is None else f"`{short(text)}`"
        what = _(
            "`count` is the most words that a prompt may have, a whole number from 1 on, not {found}.",
            found=found,
        )
        hint = _("Write a number only, such as `count: 50`, or `count: {none}` for no limit.", none=NONE)
        self._report.error("count", entry.key.line, what, hint)
        return None

    def _rows(self) -> tuple[QA, ...]:
        key = name_of_rows(self._root)
        entry = self._entry(key)
        if key == "qa" and self._entry("faq"):
            what = _("`faq` is another name for `qa`, and the file has both.")
            self._report.error("faq", self._line("faq"), what, _("Move all questions into one of them."))
        data = self._plain("data")
        if (without_none(data) if isinstance(data, str) else data) and (
            entry is None or not entry.value.data()
        ):
            return ()  # the rows come from a data file
        if entry is None:
            self._missing("qa", HOW_TO_LIST)
            return ()
        return read_rows(self._report, key, entry)

    def _check_sections(self) -> None:
        if self._root.entries.keys().isdisjoint(SECTIONS):
            return
        from spotui.templates.sections import check_sections

        entry = self._entry(name_of_rows(self._root))
        check_sections(self._report, self._root, has_questions=bool(entry and entry.value.data()))

    def _method(self) -> str | None:
        entry = self._entry("method")
        if entry is None:
            return None
        method = text_of(entry.value)
        if method is None:
            what = _("`method` should be the name of a method, but it is {kind}.", kind=kind(entry.value))
            self._report.error("method", entry.key.line, what, _("Write one name, such as `method: spo`."))
        return method

    def _models(self) -> dict[str, str | dict[str, Any]]:
        entry = self._entry("models")
        if entry is None or (
            isinstance(entry.value, ScalarNode) and not without_none(text_of(entry.value) or "")
        ):
            return {}
        if not isinstance(entry.value, MappingNode):
            what = _("`models` should name a model for each role, but it is {kind}.", kind=kind(entry.value))
            hint = _("Below `models:`, write lines such as `  executor: gpt-4o-mini`.")
            self._report.error("models", entry.key.line, what, hint)
            return {}
        found = {role: self._model(role, each) for role, each in entry.value.entries.items()}
        return {role: model for role, model in found.items() if model is not None}

    def _model(self, role: str, entry: Entry) -> str | dict[str, Any] | None:
        key, line, model = f"models.{role}", entry.key.line, entry.value
        if role not in ROLES:
            meant = nearest(role, ROLES)
            hint = (
                _("Did you mean `{meant}`?", meant=meant)
                if meant
                else _("The roles are {roles}.", roles=", ".join(ROLES))
            )
            self._report.error(key, line, _("There is no role `{role}`.", role=short(role)), hint)
            return None
        if isinstance(model, MappingNode):
            return {name: each.value.data() for name, each in model.entries.items()}
        name = without_none(text_of(model) or "").strip()
        if not name:
            found = "empty" if isinstance(model, ScalarNode) else kind(model)
            hint = _("Write a model's id, such as `{role}: gpt-4o-mini`, or delete the line.", role=role)
            self._report.error(
                key, line, _("The model of the {role} is {found}.", role=role, found=found), hint
            )
        return name or None

    def _text(self, key: str, hint: str) -> str | None:
        """The text at a key that has to be there; None when it is missing or no text."""
        entry = self._entry(key)
        if entry is None:
            self._missing(key, hint)
            return None
        text = text_of(entry.value)
        if text is None:
            what = _("`{key}` should be a text, but it is {kind}.", key=key, kind=kind(entry.value))
            self._report.error(key, entry.key.line, what, as_text(entry))
        return text

    def _missing(self, key: str, hint: str) -> None:
        meant = self._misspelt.get(key) or (self._misspelt.get("faq") if key == "qa" else None)
        if meant is not None:
            hint = _(
                "Rename `{key}` on line {line} to `{key2}`.",
                key=meant.key.text,
                line=meant.key.line,
                key2=key,
            )
        self._report.error(key, self._root.line, _("`{key}` is missing.", key=key), hint)

    def _plain(self, key: str) -> Any:
        entry = self._entry(key)
        return entry.value.data() if entry else None

    def _entry(self, key: str) -> Entry | None:
        return self._root.entries.get(key)

    def _line(self, key: str) -> int:
        return self._root.entries[key].key.line


MAX_BYTES: Final = 4_000_000
"""The largest template file, in bytes; rows beyond that belong into a data file."""


def read_template(path: str | os.PathLike[str]) -> Template:
    """Read a template file.

    Raises:
        TemplateError: It cannot be used; all its problems are in the error.
    """
    return parse_template(read_text(path), Path(path).name)


def parse_template(text: str, name: str = "template") -> Template:
    """Read a template's text.

    Args:
        text: The YAML.
        name: What to call it in an error.

    Raises:
        TemplateError: It cannot be used; all its problems are in the error.
    """
    template, problems = _judge(text)
    if template is None or any(problem.severity == "error" for problem in problems):
        raise TemplateError(name, problems)
    return template


def check_template(path: str | os.PathLike[str]) -> list[Problem]:
    """Everything that is wrong with a template file, by line; empty when nothing is."""
    try:
        text = read_text(path)
    except TemplateError as error:
        return list(error.problems)
    return check_text(text)


def check_text(text: str) -> list[Problem]:
    """Everything that is wrong with a template's text, by line; empty when nothing is."""
    template, problems = _judge(text)
    if template is None or any(problem.severity == "error" for problem in problems):
        return problems
    return sorted([*misread(text, load(text)), *problems], key=lambda problem: problem.line)


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a template file, as it is.

    Raises:
        TemplateError: There is no such file, or it is no text of a sensible size.
    """
    path = Path(path)
    try:
        return decode(_read(path))
    except YamlError as error:
        raise TemplateError(path.name, _problems(error)) from None
    except OSError as error:
        raise _refusal(
            path,
            _("The file cannot be read ({strerror}).", strerror=error.strerror),
            _("Check its permissions."),
        ) from None
    except ValueError:
        raise _refusal(path, _("This is not a file name."), _("Give the path of a YAML file.")) from None


def misread(text: str, root: Node) -> list[Problem]:
    """Everything in a template's text that is valid YAML and surely means something else."""
    from spotui.templates.yaml.explain import misreadings

    keys = (*KEYS, *ROW_KEYS, *ROLES)
    return [
        Problem("error", "", fault.line, fault.what, fault.hint) for fault in misreadings(text, root, keys)
    ]


def refuse_misread(text: str, name: str) -> None:
    """Make sure that a template means what it says, before a run begins with it.

    `parse_template` lets it pass: a run that began with such a text keeps it.

    Args:
        text: The YAML.
        name: What to call it in an error.

    Raises:
        TemplateError: It does not.
    """
    if problems := misread(text, load(text)):
        raise TemplateError(name, problems)


def _judge(text: str) -> tuple[Template | None, list[Problem]]:
    try:
        root = load(text)
    except YamlError as error:
        return None, _problems(error)
    template, problems = interpret(root)
    if any(problem.severity == "error" for problem in problems):
        problems = misread(text, root) or problems  # the others only follow from these
    return template, problems


def _problems(error: YamlError) -> list[Problem]:
    if isinstance(error, EmptyYamlError):
        hint = _("Write `prompt:`, `requirements:` and `qa:`, or copy one of the bundled examples.")
        return [Problem("error", "", 1, _("The file is empty."), hint)]
    return [Problem("error", "", fault.line, fault.what, fault.hint) for fault in error.faults]


def _read(path: Path) -> bytes:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise _refusal(path, _("There is no such file."), _near(path)) from None
    if stat.S_ISDIR(found.st_mode):
        raise _refusal(path, _("This is a folder, not a file."), _("Give the path of a YAML file in it."))
    if not stat.S_ISREG(found.st_mode):
        raise _refusal(path, _("This is not an ordinary file."), _("Give the path of a YAML file."))
    if found.st_size > MAX_BYTES:
        what = _(
            "The file has {size:.0f} MB, and a template has at most {most} MB.",
            size=found.st_size / 1_000_000,
            most=MAX_BYTES // 1_000_000,
        )
        hint = _("Keep a few questions in the template, and put more rows into a data file.")
        raise _refusal(path, what, hint)
    return path.read_bytes()


def _near(path: Path) -> str:
    try:
        found = {each.stem: each for each in path.parent.iterdir() if each.suffix in (".yaml", ".yml")}
    except OSError:
        return _("The folder {parent} cannot be opened; check the path.", parent=path.parent)
    meant = nearest(path.stem, found)
    return _("Did you mean {found}?", found=found[meant]) if meant else _("Check the path.")


def _refusal(path: Path, what: str, hint: str) -> TemplateError:
    return TemplateError(str(path), [Problem("error", "", 0, what, hint)])
