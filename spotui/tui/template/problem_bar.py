"""What is wrong with the template, in a few rows below it."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from spotui.template.model import Problem
from spotui.view.figures import plural

_TONES = {"error": "bold $text-error", "warning": "bold $text-warning"}


class ProblemBar(Static):
    """The problem of the line that the cursor is on, or else the first, and how many there are."""

    DEFAULT_CSS = """
    ProblemBar {
        height: auto; max-height: 4; padding: 0 1; background: $panel;
        &.-empty { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False, classes="-empty")
        self._shown: tuple[Sequence[Problem], int] = ((), 0)

    def show(self, problems: Sequence[Problem], line: int) -> None:
        """Show what is wrong.

        Args:
            problems: All problems, by line.
            line: The cursor's line, from 1; 0 when there is no cursor.
        """
        here = [problem for problem in problems if problem.line == line]
        worst = [problem for problem in problems if problem.severity == "error"]
        chosen = next(iter(here or worst or problems), None)
        shown = (problems, problems.index(chosen) if chosen else 0)
        if shown == self._shown:
            return
        self._shown = shown
        self.set_class(chosen is None, "-empty")
        self.update(_text(chosen, problems) if chosen else "")


def _text(chosen: Problem, problems: Sequence[Problem]) -> Content:
    place = f"Line {chosen.line}: " if chosen.line else ""
    errors = sum(problem.severity == "error" for problem in problems)
    counted = [plural(errors, "error")] if errors else []
    if warnings := len(problems) - errors:
        counted.append(plural(warnings, "warning"))
    return Content.assemble(
        (f"{chosen.severity.capitalize()} ", _TONES[chosen.severity]),
        f"{place}{chosen.what} {chosen.mend}",
        (f"  ({', '.join(counted)})" if len(problems) > 1 else "", "$text-muted"),
    )
