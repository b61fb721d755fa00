"""A metric of the user's own: a Python function."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from spotui.dataset import Row
from spotui.metrics.mark import Mark, MetricError


class Own:
    """A function `(answer, row)` that returns 0..1, or whether the answer is right.

    Args:
        place: Where it is, as `module:function`; the module may lie beside the template.
        folder: The template's folder.

    Raises:
        MetricError: There is no such function, or its module is broken.
    """

    def __init__(self, place: str, folder: Path) -> None:
        self._place = place
        module, _, name = place.partition(":")
        try:
            with _importing_from(folder):
                found: Any = import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
        except Exception as error:
            what = f"The metric {place} cannot be loaded: {_told(error)}."
            mend = "The module has to lie beside the template or be installed."
            raise MetricError(what, mend) from error
        if not callable(found):
            raise MetricError(f"The metric {place} is no function.", "Name one that takes (answer, row).")
        self._function: Callable[[str, Row], object] = found

    def mark(self, answer: str, row: Row) -> Mark:
        """What the function says.

        Raises:
            MetricError: It failed, or said something else than 0..1.
        """
        try:
            value = self._function(answer, row)
        except Exception as error:
            what = f"The metric {self._place} failed on an answer to {row.place}: {_told(error)}."
            raise MetricError(what, "Let it return a number from 0 to 1 for any answer.") from error
        if not isinstance(value, int | float) or math.isnan(value) or not 0 <= value <= 1:
            what = f"The metric {self._place} returned {value!r} for an answer to {row.place}."
            raise MetricError(what, "Let it return a number from 0 to 1, True or False.")
        return Mark(float(value), answer)

    def fault(self, row: Row) -> str:  # noqa: ARG002 - the function decides on what it needs
        """Nothing: only the function knows what it needs."""
        return ""


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": .")
