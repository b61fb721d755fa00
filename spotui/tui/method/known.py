"""The methods there are, as `spotui methods` tells them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from spotui.errors import SpotuiError
from spotui.tui.child import ask

Value = str | int | float | bool | None


class Parameter(NamedTuple):
    """One thing that a method can be told.

    Attributes:
        name: Its name.
        takes: Its values, in words.
        default: Its value when nobody says otherwise.
        what: What it is for.
    """

    name: str
    takes: str
    default: Value
    what: str


class Known(NamedTuple):
    """A method.

    Attributes:
        name: Its name.
        summary: What it does.
        source: Where it was published.
        scores: Whether it needs rows.
        parameters: What it can be told.
    """

    name: str
    summary: str
    source: str
    scores: bool
    parameters: tuple[Parameter, ...]


class Told(NamedTuple):
    """A method that was chosen, and what it is told.

    Attributes:
        method: Its name; empty leaves it to the template.
        parameters: What differs from its defaults.
    """

    method: str = ""
    parameters: Mapping[str, Value] = {}

    @property
    def words(self) -> list[str]:
        """As options of the command line."""
        sets = [f"--set={name}={in_words(value)}" for name, value in self.parameters.items()]
        return [f"--method={self.method}", *sets] if self.method else sets

    def __str__(self) -> str:
        """On one line."""
        told = ", ".join(f"{name} {in_words(value)}" for name, value in self.parameters.items())
        return f"{self.method}: {told}" if told else self.method


async def known_methods() -> list[Known]:
    """Every method, those of other packages included.

    Raises:
        SpotuiError: One of them is broken.
    """
    told = await ask(["methods", "--json"])
    if told.fault:
        raise SpotuiError(told.fault)
    return [
        Known(
            one["name"],
            one["summary"],
            one["source"],
            one["scores"],
            tuple(Parameter(**parameter) for parameter in one["parameters"]),
        )
        for one in json.loads(told.out)
    ]


def told_by(template: Path) -> Told:
    """What a template says of its method; nothing where it cannot be read, which the estimate tells."""
    from spotui.template import TemplateError, read_template
    from spotui.template.scoring import parameters_of

    try:
        read = read_template(template)
        return Told(read.method or "", parameters_of(read))
    except TemplateError:
        return Told()


def typed(text: str) -> Value:
    """A value as a template would have it: numbers and truth values are none that are quoted."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def in_words(value: Value) -> str:
    """A value as it is typed."""
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
