"""Python functions that were handed over in Python: a function as a metric, and how any of them is called.

A template and a project hold only the name of such a metric. Whoever continues the run hands the function
over again.
"""

import asyncio
import hashlib
import inspect
import re
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from spotui.domain.rows import Row
from spotui.lang import _
from spotui.metrics.mark import Mark, MetricError

Function = Callable[..., Any]

MODULE: Final = "python_function"
"""What stands for the module in the name of such a metric: `python_function:right`."""

SECONDS: Final = 60.0
"""How long a function may take for an answer."""


def is_function(name: str) -> bool:
    """Whether a metric's name is that of a function that was handed over in Python."""
    return name.startswith(f"{MODULE}:")


def name_of(function: Function) -> str:
    """A name for a function, its own where it has one."""
    found = getattr(function, "__name__", "") or type(function).__name__
    name = re.sub(r"\W+", "_", found).strip("_")
    return name if name.isidentifier() else "function"


class Named:
    """A metric that is a Python function, as long as it is only looked at: it marks nothing.

    Args:
        name: The metric in the template, e.g. `python_function:right`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def mark(self, answer: str, row: Row) -> Mark:  # noqa: ARG002 - every metric has this form
        """Refuse: the function is not here.

        Raises:
            MetricError: Always.
        """
        raise not_here(self._name)

    def fault(self, row: Row) -> str:  # noqa: ARG002 - the function decides what it needs
        """Nothing: only the function knows what it needs."""
        return ""


def not_here(name: str) -> MetricError:
    """The error for a metric whose function is not handed over."""
    return MetricError(
        _("The metric {name} is a Python function, which is not here.", name=name.partition(":")[2]),
        _("Continue the run in Python, with the same metric."),
    )


class FunctionMetric:
    """A metric that is a Python function and runs in this process.

    Args:
        function: Takes the answer and the row, and returns or awaits a number from 0 to 1.

    Attributes:
        digest: A hash of its source, as far as there is one: marks of another version do not count.
        takes_turns: Whether it marks one answer at a time; only coroutines are known to stand more.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self.digest = hashlib.sha256(_source(function).encode()).hexdigest()
        self.takes_turns = not is_coroutine(function)

    async def mark(self, answer: str, row: Row) -> Mark:
        """The mark that the function gives.

        Raises:
            MetricError: It failed, took too long, or returned something other than a number from 0 to 1.
        """
        name = name_of(self._function)
        try:
            async with asyncio.timeout(SECONDS) as limit:
                value = await called(self._function, answer, row)
        except TimeoutError as error:
            if not limit.expired():
                raise _failed(name, error) from error
            raise MetricError(
                _("The metric {name} took longer than {seconds:g} s.", name=name, seconds=SECONDS)
            ) from None
        except Exception as error:
            raise _failed(name, error) from error
        try:
            mark = float(cast("Any", value))
        except (TypeError, ValueError):
            mark = -1.0
        if not 0 <= mark <= 1:
            shown = repr(value)[:60]
            raise MetricError(
                _(
                    "The metric {name} returned {value}, which is not a number from 0 to 1.",
                    name=name,
                    value=shown,
                )
            )
        return Mark(mark, answer)

    def close(self) -> None:
        """Nothing: it holds nothing."""


def _failed(name: str, error: Exception) -> MetricError:
    words = " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(": .")
    return MetricError(_("The metric {name} failed: {error}.", name=name, error=words))


def _source(function: Function) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        return f"{name_of(function)} {code.co_code.hex() if code is not None else ''}"


def is_coroutine(function: Function) -> bool:
    """Whether a function, or the call of an object, is a coroutine function."""
    method = getattr(function, "__call__", None)  # noqa: B004 - the method itself
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(method)


async def called(function: Function, *arguments: object) -> object:
    """What a function of the user returns, or what it returns awaits.

    One that is no coroutine function is called in a daemon thread: others would hold up the end of Python.
    """
    if is_coroutine(function):
        return await cast("Awaitable[object]", function(*arguments))
    loop = asyncio.get_running_loop()
    future: asyncio.Future[object] = loop.create_future()

    def settle(value: object, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def work() -> None:
        value: object = None
        failure: BaseException | None = None
        try:
            value = function(*arguments)
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
            failure = RuntimeError(repr(error)) if isinstance(error, StopIteration | SystemExit) else error
        try:
            loop.call_soon_threadsafe(settle, value, failure)
        except RuntimeError:  # the run has ended meanwhile
            return

    threading.Thread(target=work, name="spotui-function", daemon=True).start()
    value = await future
    return await value if inspect.isawaitable(value) else value
