"""What a worker of pytest-xdist does once for all of them, or does not do.

Several workers run the tests, each a process that collects all of them. What one has compiled is there for
the others, as long as they do not compile the same at the same time. And whatever a worker tells the process
that started it costs both a millisecond, so it tells what somebody reads.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis.internal.charmap import charmap
from hypothesis.internal.constants_ast import constants_from_module, is_local_module_file

T = TypeVar("T")

NOTABLE_SECONDS = 0.1
"""Set-ups and clean-ups that take longer are reported, so that `--durations` finds them."""


def prepare(config: pytest.Config) -> None:
    """Import the test modules that are to be collected, each worker beginning with others.

    Their assertions are rewritten and their bytecode is written on the way, as are the constants that
    Hypothesis finds in the source. A module that cannot be imported says so when it is collected.
    """
    workerinput: dict[str, Any] = getattr(config, "workerinput", {})
    if not workerinput:
        return
    if workerinput["workerid"] == "gw0":
        charmap()  # takes seconds, and is kept for everyone
    place = int(workerinput["workerid"].removeprefix("gw")) / workerinput["workercount"]
    for path in _from(place, [*_test_modules(config)]):
        with suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.relative_to(config.rootpath).with_suffix("").parts))
    files = {module: getattr(module, "__file__", None) or "" for module in [*sys.modules.values()]}
    for module in _from(place, [module for module, file in files.items() if is_local_module_file(file)]):
        constants_from_module(module)


def speak_less(config: pytest.Config) -> None:
    """Report of a test that it passed, and not also that it began, was set up, was cleaned up, and ended."""
    for plugin in config.pluginmanager.get_plugins():
        if callable(send := getattr(plugin, "sendevent", None)):  # its class is no module's
            vars(plugin)["sendevent"] = _speaking_less(send)


def _speaking_less(send: Callable[..., None]) -> Callable[..., None]:
    def send_what_is_read(name: str, **what: Any) -> None:
        if _is_read(name, what):
            send(name, **what)

    return send_what_is_read


def _is_read(name: str, what: dict[str, Any]) -> bool:
    if name == "testreport":
        report = what["data"]
        is_quiet = report["when"] != "call" and report["outcome"] == "passed" and not report["sections"]
        return not is_quiet or report["duration"] > NOTABLE_SECONDS
    return name not in {"logstart", "logfinish"}


def _test_modules(config: pytest.Config) -> Iterator[Path]:
    for argument in config.args:
        path = config.invocation_params.dir / argument.split("::")[0]
        if path.is_dir() and path.is_relative_to(config.rootpath):
            yield from sorted(path.rglob("test_*.py"))


def _from(place: float, things: Sequence[T]) -> list[T]:
    """The same things, beginning at a place between 0 and 1."""
    first = int(place * len(things))
    return [*things[first:], *things[:first]]
