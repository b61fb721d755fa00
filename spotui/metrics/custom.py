"""Finds the Python file of a custom metric and checks its function, without running any of it.

A template is data: what it names may be looked at by anyone, and runs only once the user has trusted the file
(see `settings.trust` and `metrics.worker`).
"""

import ast
import os
import stat
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.errors import nearest
from spotui.domain.rows import Row
from spotui.lang import N_, _
from spotui.metrics.mark import Mark, MetricError

MOST_BYTES: Final = 1_000_000
_TAKES: Final = N_("Write it as `def {name}(answer, row):`, and let it return a number from 0 to 1.")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class MetricFile(msgspec.Struct, frozen=True):
    """The file of a custom metric, as it was read once: these bytes are trusted, and these bytes run.

    Attributes:
        name: The metric in the template, e.g. `my_rules:length`.
        path: The file, without links.
        source: Its content.
        function: The function's name in it.
    """

    name: str
    path: Path
    source: bytes
    function: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the content, in hexadecimal."""
        import hashlib  # OpenSSL, which looking at templates need not load

        return hashlib.sha256(self.source).hexdigest()


class Own:
    """A custom metric as long as it is only looked at: it marks nothing.

    Args:
        name: The metric in the template, e.g. `my_rules:length`.
        folder: The template's folder.

    Raises:
        MetricError: The file or its function is missing or wrong.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.file = find_metric_file(name, folder)

    def mark(self, answer: str, row: Row) -> Mark:  # noqa: ARG002 - every metric has this form
        """Refuse: only a worker runs the file.

        Raises:
            MetricError: Always.
        """
        raise MetricError(
            _("The metric {file} is Python code that you have not trusted.", file=self.file.name)
        )

    def fault(self, row: Row) -> str:  # noqa: ARG002 - the function decides what it needs
        """Nothing: only the function knows what it needs."""
        return ""


def find_metric_file(name: str, folder: Path) -> MetricFile:
    """Read the file of a custom metric and check that its function is there; nothing in it is run.

    Args:
        name: The metric in the template, e.g. `my_rules:length` for `length` in `my_rules.py`.
        folder: The template's folder.

    Raises:
        MetricError: The file or its function is missing or wrong.
    """
    module, _, function = name.partition(":")
    wanted = Path(folder, *module.removesuffix(".py").split(".")).with_suffix(".py")
    path, source = _read(name, wanted)
    _check(name, path, source, function)
    return MetricFile(name, path, source, function)


def _read(name: str, wanted: Path) -> tuple[Path, bytes]:
    hint = _(
        "Write the function into {wanted} beside the template; it can import installed packages.",
        wanted=wanted.name,
    )
    try:
        path = wanted.resolve()
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MetricError(
            _("The metric {name} needs the file {wanted}, which does not exist.", name=name, wanted=wanted),
            hint,
        ) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: links that go round in a circle
        why = getattr(error, "strerror", None) or error
        raise MetricError(
            _(
                "The metric {name} needs the file {wanted}, which cannot be read: {why}.",
                name=name,
                wanted=wanted,
                why=why,
            )
        ) from None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise MetricError(
                _(
                    "The metric {name} needs the file {wanted}, which is not a regular file.",
                    name=name,
                    wanted=wanted,
                )
            )
        source = os.read(handle, MOST_BYTES + 1)  # a regular file gives all of it at once
    finally:
        os.close(handle)
    if len(source) > MOST_BYTES:
        raise MetricError(
            _(
                "The file {path} of the metric {name} is larger than {most_bytes:,} bytes.",
                path=path,
                name=name,
                most_bytes=MOST_BYTES,
            )
        )
    return path, source


def _check(name: str, path: Path, source: bytes, function: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of its style is for its author
            tree = ast.parse(source, str(path))
    except SyntaxError as error:
        place = f"{path}, line {error.lineno}" if error.lineno else str(path)
        raise MetricError(
            _(
                "{place}: the file of the metric {name} is not valid Python: {msg}.",
                place=place,
                name=name,
                msg=error.msg,
            )
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise MetricError(
            _(
                "{path}: the file of the metric {name} is not valid Python: {error}.",
                path=path,
                name=name,
                error=error,
            )
        ) from None
    found: ast.stmt | ast.alias | ast.expr | None = tree  # type: ignore[assignment]
    body: list[ast.stmt] = tree.body
    for part in function.split("."):
        names = dict(_defined(body))
        if "*" in names or "__getattr__" in names:
            return  # only running it would show what it holds
        found = names.get(part)
        if found is None:
            meant = nearest(part, names)
            hint = _("Did you mean `{meant}`?", meant=meant) if meant else _(_TAKES, name=part)
            raise MetricError(
                _(
                    "{path} has no function `{function}` for the metric {name}.",
                    path=path,
                    function=function,
                    name=name,
                ),
                hint,
            )
        if not isinstance(found, ast.ClassDef):
            break
        body = found.body
    _check_callable(name, path, function, found)


def _check_callable(name: str, path: Path, function: str, actual: object) -> None:
    short = function.rpartition(".")[2]
    place = f"{path}, line {getattr(actual, 'lineno', 1)}"
    if isinstance(actual, ast.Constant | ast.List | ast.Dict | ast.Set | ast.Tuple | ast.JoinedStr):
        raise MetricError(
            _(
                "{place}: `{function}` of the metric {name} is not a function.",
                place=place,
                function=function,
                name=name,
            ),
            _(_TAKES, name=short),
        )
    if isinstance(actual, _Function | ast.Lambda) and not _takes_two(actual):
        what = _(
            "{place}: `{function}` of the metric {name} cannot be called with (answer, row).",
            place=place,
            function=function,
            name=name,
        )
        raise MetricError(what, _(_TAKES, name=short))
    if isinstance(actual, _Function) and not actual.decorator_list and any(_yields(actual.body)):
        what = _(
            "{place}: `{function}` of the metric {name} yields values: a generator returns no number.",
            place=place,
            function=function,
            name=name,
        )
        raise MetricError(what, _(_TAKES, name=short))


def _yields(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The yields of a function, without those of functions inside of it."""
    for one in body:
        if isinstance(one, ast.Yield | ast.YieldFrom):
            yield one
        elif not isinstance(one, _Function | ast.Lambda | ast.ClassDef):
            yield from _yields(list(ast.iter_child_nodes(one)))


def _defined(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt | ast.expr | ast.alias]]:
    """Every name that some statements define, with its definition; `*` for what an import may bring."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name, statement
            case ast.Import() | ast.ImportFrom():
                for alias in statement.names:
                    yield (alias.asname or alias.name).partition(".")[0], alias
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from ((one.id, value) for one in ast.walk(target) if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case _:
                for inner in ("body", "orelse", "finalbody", "handlers"):
                    blocks = getattr(statement, inner, [])
                    for block in blocks:
                        yield from _defined(block.body if isinstance(block, ast.ExceptHandler) else [block])


def _takes_two(function: _Function | ast.Lambda) -> bool:
    """Whether it can be called with two positional arguments; a decorator may change what it takes."""
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    names = [one.id for one in decorators if isinstance(one, ast.Name)]
    if len(names) != len(decorators) or set(names) - {"staticmethod", "classmethod"}:
        return True
    takes = function.args
    positional = len(takes.posonlyargs) + len(takes.args) - ("classmethod" in names)
    needed = positional - len(takes.defaults)
    lacks = any(default is None for default in takes.kw_defaults)
    return needed <= 2 and (positional >= 2 or takes.vararg is not None) and not lacks
