"""Writes a prompt, with what is around it and its rows, as other tools have prompts and evals."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from spotui.domain.rows import Row, slot_names
from spotui.lang import _
from spotui.metrics.choose import MetricChoice
from spotui.templates.exchange.asserts import FACT_IN_ROW, RUBRIC_IN_ROW, as_assert
from spotui.templates.exchange.braces import to_double, to_format
from spotui.templates.exchange.chats import DUMPED, HISTORY, LOOP
from spotui.templates.exchange.imported import Notes
from spotui.templates.yaml.emit import mapping_lines

_RUBRIC: Final = re.compile(r"(?P<kind>Rubric|Fact): (?P<text>.*)", re.DOTALL)
_PROVIDERS: Final[Mapping[str, str]] = {
    "anthropic": "anthropic:messages:",
    "azure": "azure:chat:",
    "gemini": "google:",
    "mistral": "mistral:",
    "ollama": "ollama:chat:",
    "ollama_chat": "ollama:chat:",
    "openai": "openai:chat:",
    "openrouter": "openrouter:",
    "groq": "groq:",
}
"""What promptfoo calls providers, by the beginnings of model ids here."""


class Outgoing(msgspec.Struct, kw_only=True):
    """A prompt on its way out.

    Attributes:
        project: The project's name.
        round: The round of the prompt.
        prompt: The prompt.
        messages: How a row is asked: roles and texts, with the prompt in its place and slots in braces.
        rows: The rows.
        metric: How answers are scored, or None where the judge compares.
        criteria: What a judge looks for.
        requirements: What a good answer is like.
        model: The executor's model; empty where it has none.
        figures: What the run says of the prompt, for registries.
        parts: The prompts of a program by their names; empty where there is one prompt alone.
        url: The address of the program; empty where it is a command.
    """

    project: str
    round: int
    prompt: str
    messages: Sequence[Mapping[str, str]]
    rows: Sequence[Row] = ()
    metric: MetricChoice | None = None
    criteria: Sequence[str] = ()
    requirements: str = ""
    model: str = ""
    figures: Mapping[str, Any] = {}
    parts: Mapping[str, str] = {}
    url: str = ""

    @property
    def title(self) -> str:
        """What it is called elsewhere."""
        return f"{self.project}, round {self.round}"

    @property
    def slots(self) -> frozenset[str]:
        """The slots that rows fill; names that no row has are text."""
        names = frozenset[str]().union(*(slot_names(one["content"]) for one in self.messages))
        if not self.rows:
            return names
        return names & {"question", *(name for row in self.rows for name in row.slots)}

    @property
    def has_history(self) -> bool:
        """Whether rows are conversations."""
        return any(row.history for row in self.rows)


Writer = Callable[[Outgoing, Notes], str]


def chat(outgoing: Outgoing) -> list[dict[str, str]]:
    """The messages with variables in double braces."""
    return [
        {"role": one["role"], "content": to_double(one["content"], {}, outgoing.slots)}
        for one in outgoing.messages
    ]


def to_messages(outgoing: Outgoing, notes: Notes) -> str:
    """The messages of OpenAI's API as JSON, with variables in double braces."""
    if outgoing.has_history:
        what = _("The turns before the question are left out.")
        notes.add(outgoing.project, what, _("Put them before the last message."))
    return json.dumps(chat(outgoing), ensure_ascii=False, indent=2) + "\n"


# promptfoo


def to_promptfoo(outgoing: Outgoing, notes: Notes) -> str:
    """A configuration of promptfoo: the prompt, the rows as tests, metric and criteria as asserts."""
    return promptfoo_config(outgoing, _promptfoo_prompt(outgoing), _provider(outgoing.model), notes)


def promptfoo_config(outgoing: Outgoing, prompt: str, provider: str | dict[str, Any], notes: Notes) -> str:
    """A configuration of promptfoo with the rows as tests.

    Args:
        outgoing: What is written.
        prompt: The prompt as promptfoo has it.
        provider: What answers.
        notes: Takes what has no place in it.
    """
    config: dict[str, Any] = {
        "description": outgoing.title,
        "prompts": [prompt],
        "providers": [provider],
    }
    rubrics = [one for one in outgoing.criteria if one not in (RUBRIC_IN_ROW, FACT_IN_ROW)]
    if rubrics:
        config["defaultTest"] = {
            "assert": [{"type": "llm-rubric", "value": shielded_text(one)} for one in rubrics]
        }
    config["tests"] = [_test(outgoing, row, notes) for row in outgoing.rows]
    if not outgoing.rows:
        notes.add(outgoing.project, _("It has no rows."), _("Add tests before you run promptfoo."))
    return "\n\n".join(mapping_lines({key: value}, 0) for key, value in config.items()) + "\n"


def _promptfoo_prompt(outgoing: Outgoing) -> str:
    messages = chat(outgoing)
    if len(messages) == 1 and messages[0]["role"] == "user" and not outgoing.has_history:
        return messages[0]["content"]
    written = json.dumps(messages, ensure_ascii=False, indent=2)
    if not outgoing.has_history:
        return written
    *before, asking = [json.dumps(one, ensure_ascii=False) for one in messages]
    asked = f'{{"role": "user", "content": {DUMPED}}}'
    is_plain = messages[-1]["content"] == "{{question}}"
    return "[\n  " + "".join(f"{one},\n  " for one in before) + LOOP + (asked if is_plain else asking) + "\n]"


def _provider(model: str) -> str:
    """The executor's model as promptfoo names it; `echo` where that is not known."""
    head, slash, rest = model.partition("/")
    if not slash:
        return f"openai:chat:{model}" if model else "echo"
    return f"{_PROVIDERS[head]}{rest}" if head in _PROVIDERS else "echo"


def _test(outgoing: Outgoing, row: Row, notes: Notes) -> dict[str, Any]:
    shown = outgoing.slots
    values: dict[str, Any] = {name: value for name, value in row.values.items() if name in shown}
    values |= {name: value for name, value in row.slots.items() if name not in shown}
    if outgoing.has_history:
        values[HISTORY] = [{"role": one.role, "content": one.content} for one in row.history]
    asserts = [*_asserts(outgoing, row, notes)]
    test: dict[str, Any] = {"vars": values}
    if asserts:
        test["assert"] = asserts
    elif row.references:
        test["metadata"] = {"expected": list(row.references)}
    return test


def shielded_text(text: str) -> str:
    """A text in which promptfoo fills nothing."""
    return to_double(text, {}, ())


def _asserts(outgoing: Outgoing, row: Row, notes: Notes) -> list[dict[str, Any]]:
    metric = outgoing.metric
    name = metric.name if metric is not None else "judge"
    references = list(row.references)
    if not references:
        if metric is not None and name == "regex":
            return [{"type": "regex", "value": metric.options["pattern"]}]
        return []
    if metric is not None and name == "checks":
        return _checks(metric, references)
    if name == "judge":
        return _judged(outgoing, references)
    if name == "exact":
        pattern = "|".join(map(re.escape, references))
        if len(references) == 1:
            return [{"type": "equals", "value": shielded_text(references[0])}]
        return [{"type": "regex", "value": rf"^\s*(?:{pattern})\s*$"}]
    if name == "contains":
        what = _("`contains` becomes `icontains`, which also finds parts of words.")
        notes.add(outgoing.project, what, _("promptfoo has no check for whole words but `regex`."))
        one = {"type": "icontains", "value": shielded_text(references[0])}
        return (
            [one]
            if len(references) == 1
            else [{"type": "icontains-any", "value": [*map(shielded_text, references)]}]
        )
    what = _("The metric {name} is left out; what is expected is `metadata` of the tests.", name=name)
    notes.add(outgoing.project, what, _("promptfoo has no such check."))
    return []


def _checks(metric: MetricChoice, references: Sequence[str]) -> list[dict[str, Any]]:
    kind = metric.options.get("type")
    if not kind:
        found = []
        for one in references:
            data = json.loads(one)
            found += [as_assert(check) for check in (data if isinstance(data, list) else [data])]
        return [_shielded(one) for one in found if one is not None]
    several = [_shielded({"type": kind, "value": one}) for one in references]
    if len(several) == 1:
        return several
    return [{"type": "assert-set", "threshold": round(1 / len(several), 6), "assert": several}]


def _shielded(check: dict[str, Any]) -> dict[str, Any]:
    """An assert in whose texts promptfoo fills nothing."""
    value = check.get("value")
    if isinstance(value, str):
        return {**check, "value": shielded_text(value)}
    if isinstance(value, list):
        return {**check, "value": [shielded_text(one) if isinstance(one, str) else one for one in value]}
    return check


def _judged(outgoing: Outgoing, references: Sequence[str]) -> list[dict[str, Any]]:
    kinds = {
        kind
        for kind, text in (("llm-rubric", RUBRIC_IN_ROW), ("factuality", FACT_IN_ROW))
        if text in outgoing.criteria
    }
    found = []
    for one in references:
        match = _RUBRIC.fullmatch(one) if len(kinds) == 2 else None
        kind = ("llm-rubric" if match["kind"] == "Rubric" else "factuality") if match else ""
        kind = kind or (next(iter(kinds)) if len(kinds) == 1 else "factuality")
        found.append({"type": kind, "value": shielded_text(match["text"] if match else one)})
    return found


# DSPy and Python


def to_dspy(outgoing: Outgoing, notes: Notes) -> str:
    """A program of DSPy with one predictor, as `program.load` reads it."""
    inputs = sorted(outgoing.slots - {"question"})
    if "question" in outgoing.slots or not inputs:
        inputs.append("question")
    if slot_names(outgoing.prompt) & outgoing.slots:
        what = _("Slots in the instructions are text for DSPy.")
        notes.add(outgoing.project, what, _("It puts the inputs below the instructions itself."))
    if outgoing.has_history:
        what = _("The turns before the question are left out.")
        notes.add(outgoing.project, what, _("A signature has a field for them only if you write one."))
    fields = [*inputs, "answer"]
    train = []
    for row in outgoing.rows:
        example: dict[str, Any] = {name: row.values.get(name, "") for name in inputs}
        if row.references:
            example["answer"] = row.references[0] if len(row.references) == 1 else list(row.references)
        train.append(example)
    program = {
        "traces": [],
        "train": train,
        "demos": [],
        "signature": {
            "instructions": outgoing.prompt,
            "fields": [
                {"prefix": f"{name.replace('_', ' ').title()}:", "description": f"${{{name}}}"}
                for name in fields
            ],
        },
        "lm": None,
        "metadata": {"dependency_versions": {}, "spotui": dict(outgoing.figures)},
    }
    return json.dumps(program, ensure_ascii=False, indent=2) + "\n"


def to_python(outgoing: Outgoing, notes: Notes) -> str:  # noqa: ARG001 - everything has a place in it
    """A Python module without dependencies: the prompt, and a function that makes messages of a row."""
    slots = sorted(outgoing.slots, key=lambda name: (name != "question", name))
    known = "{" + ", ".join(f"{name!r}: {name}" for name in slots) + "}"
    around = [
        {"role": one["role"], "content": to_format(one["content"], outgoing.slots)}
        for one in outgoing.messages
    ]
    shown = "".join(f"    {one!r},\n" for one in around)
    parameters = ", ".join(f"{name}: str" for name in slots)
    asking = next(
        (at for at, one in enumerate(outgoing.messages) if "question" in slot_names(one["content"])),
        len(around) - 1,
    )
    return (
        f'"""The prompt of {outgoing.title}, found with spotui."""\n\n'
        f"PROMPT = {outgoing.prompt!r}\n\n"
        f"MESSAGES = [\n{shown}]\n\n\n"
        f"def messages({f'{parameters}, ' if parameters else ''}history: list[dict[str, str]] | None = None)"
        " -> list[dict[str, str]]:\n"
        '    """The messages for a model; `history` are the turns before the question."""\n'
        f"    values = {known}\n"
        '    found = [{**one, "content": one["content"].format(**values)} for one in MESSAGES]\n'
        f"    return [*found[:{asking}], *(history or []), *found[{asking}:]]\n"
    )


WRITERS: Final[Mapping[str, Writer]] = {
    "messages": to_messages,
    "promptfoo": to_promptfoo,
    "dspy": to_dspy,
    "python": to_python,
}
"""The formats that are texts, by the names that `spotui export --to` has for them."""
