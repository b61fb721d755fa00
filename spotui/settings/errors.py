"""What can be wrong with settings: each mistake with its place and a hint, all of them at once."""

from collections.abc import Sequence
from typing import NamedTuple

from spotui.domain.errors import SpotuiError
from spotui.lang import _


class Problem(NamedTuple):
    """One mistake: where it is (`config.yaml, line 4`), what it is, and what to do about it."""

    where: str
    what: str
    hint: str = ""

    @property
    def sentence(self) -> str:
        """The mistake with its place; a flag or a variable is the subject of its sentence already."""
        return self.what if self.what.startswith(self.where) else f"{self.where}: {self.what}"


class SettingsError(SpotuiError):
    """Settings that cannot be used.

    Args:
        what: What is wrong and where.
        hint: What to do about it.
        problems: The single mistakes, when there are several.
    """

    def __init__(self, what: str, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(what, hint)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> "SettingsError":
        """One error for one or more mistakes; the message names them all."""
        if len(problems) == 1:
            return cls(problems[0].sentence, problems[0].hint, problems)
        lines = [f"- {problem.sentence} {problem.hint}".rstrip() for problem in problems]
        return cls(
            "\n".join([_("{problems} settings are wrong:", problems=len(problems)), *lines]), "", problems
        )


def show(value: object) -> str:
    """A value for a message, unless it may be a key that was pasted into the wrong place."""
    if isinstance(value, str):
        if len(value) > 20 or value.startswith("sk-"):
            return _("a text of {value} characters", value=len(value))
        return repr(value)
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value) if isinstance(value, float) or abs(value) < 10**18 else _("a huge number")
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"
