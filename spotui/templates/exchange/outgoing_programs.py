"""Writes the prompts of a program as other tools have programs: DSPy, promptfoo at an address, Python."""

import json
from collections.abc import Mapping
from typing import Any, Final

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.templates.exchange.imported import Notes
from spotui.templates.exchange.outgoing import WRITERS, Outgoing, Writer, promptfoo_config, shielded_text


def write(form: str, outgoing: Outgoing, notes: Notes) -> str:
    """A prompt, or the prompts of a program, in a format.

    Args:
        form: One of the formats that are texts.
        outgoing: What is written.
        notes: Takes what has no place in the format.

    Raises:
        SpotuiError: The prompts of a program have no meaning in the format.
    """
    if not outgoing.parts:
        return WRITERS[form](outgoing, notes)
    if form not in PROGRAM_WRITERS:
        raise no_such_program(outgoing, form)
    return PROGRAM_WRITERS[form](outgoing, notes)


def no_such_program(outgoing: Outgoing, form: str) -> SpotuiError:
    """The error for a format that holds one prompt, where there are several."""
    return SpotuiError(
        _(
            "{form} holds one prompt, and {project} has {count}: {names}.",
            form=form,
            project=outgoing.project,
            count=len(outgoing.parts),
            names=", ".join(outgoing.parts),
        ),
        _("Export them with --to dspy, --to python, --to txt or --to json."),
    )


def to_dspy(outgoing: Outgoing, notes: Notes) -> str:
    """A program of DSPy with a predictor for each prompt, as `program.load` reads it.

    The fields of the signatures are those of the program that loads it, so none are written.
    """
    notes.add(
        outgoing.project,
        _("Each prompt is the instructions of the predictor with its name: {names}.", names=_names(outgoing)),
        _("A predictor within another module has a longer name: rename the key, e.g. `planner.predict`."),
    )
    program: dict[str, Any] = {
        name: {
            "traces": [],
            "train": [],
            "demos": [],
            "signature": {"instructions": text, "fields": []},
            "lm": None,
        }
        for name, text in outgoing.parts.items()
    }
    program["metadata"] = {"dependency_versions": {}, "spotui": dict(outgoing.figures)}
    return json.dumps(program, ensure_ascii=False, indent=2) + "\n"


def to_promptfoo(outgoing: Outgoing, notes: Notes) -> str:
    """A configuration of promptfoo that asks the program at its address, as spotui does.

    Raises:
        SpotuiError: The program is a command, which promptfoo cannot ask in this way.
    """
    if not outgoing.url:
        raise SpotuiError(
            _("promptfoo cannot start the program of {project} with its prompts.", project=outgoing.project),
            _("Export with --to dspy, python, txt or json, or serve the program at a `url`."),
        )
    columns = list(dict.fromkeys(name for row in outgoing.rows for name in row.slots))
    body = {
        "prompt": shielded_text(outgoing.prompt),
        "prompts": {name: shielded_text(text) for name, text in outgoing.parts.items()},
        "question": "{{prompt}}",
        "row": {name: f"{{{{{name}}}}}" for name in columns},
    }
    config = {
        "url": outgoing.url,
        "method": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": body,
        "transformResponse": "json.answer",
    }
    notes.add(
        outgoing.project,
        _("A key for {url} is not written.", url=outgoing.url),
        _("If it needs one, add a header to `headers`."),
    )
    return promptfoo_config(outgoing, "{{question}}", {"id": "http", "config": config}, notes)


def to_python(outgoing: Outgoing, notes: Notes) -> str:  # noqa: ARG001 - everything has a place in it
    """A Python module with the prompts by their names."""
    lines = "".join(f"    {name!r}: {text!r},\n" for name, text in outgoing.parts.items())
    return f'"""The prompts of {outgoing.title}, found with spotui."""\n\nPROMPTS = {{\n{lines}}}\n'


def _names(outgoing: Outgoing) -> str:
    return ", ".join(f"`{name}`" for name in outgoing.parts)


PROGRAM_WRITERS: Final[Mapping[str, Writer]] = {
    "dspy": to_dspy,
    "promptfoo": to_promptfoo,
    "python": to_python,
}
"""The formats that can hold several prompts."""
