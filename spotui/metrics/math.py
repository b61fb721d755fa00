"""The metric for mathematical expressions, as long as it is only looked at."""

from importlib.util import find_spec
from pathlib import Path

from spotui.domain.rows import Row
from spotui.lang import _
from spotui.metrics.choose import MATH
from spotui.metrics.custom import MetricFile
from spotui.metrics.mark import Mark, MetricError, no_reference


class Math:
    """The answer comes to an expression that is equivalent to a reference: 1/2 and 0.5, (x+1)^2 and x^2+2x+1.

    math-verify reads and compares them, in a separate process (see `metrics.worker`).

    Raises:
        MetricError: math-verify is not installed.
    """

    def __init__(self) -> None:
        if find_spec("math_verify") is None:
            hint = _("Install it with `pip install 'spotui[math]'`, or choose another metric.")
            raise MetricError(_("The metric math needs math-verify, which is not installed."), hint)

    def mark(self, answer: str, row: Row) -> Mark:  # noqa: ARG002 - every metric has this form
        """Refuse: only a worker runs it.

        Raises:
            MetricError: Always.
        """
        raise MetricError(_("The metric math marks in a separate process."))

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row)


def math_file() -> MetricFile:
    """The function that compares expressions."""
    path = Path(__file__).with_name("math_function.py")
    return MetricFile(MATH, path, path.read_bytes(), "equivalent")
