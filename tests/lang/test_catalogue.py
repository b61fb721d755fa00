"""The catalogue lists every sentence of the source, and every sentence is whole."""

import ast
import os
import string
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.command_line import ROOT

SOURCE = sorted((ROOT / "spotui").rglob("*.py"))
MARKERS = {"_": 1, "N_": 1, "NN_": 2, "ngettext": 2}


class Call(NamedTuple):
    where: str
    node: ast.Call
    texts: list[ast.expr]


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def calls(path: Path) -> Iterator[Call]:
    for node in nodes(path):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS:
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield Call(where, node, node.args[: MARKERS[node.func.id]])


@cache
def all_calls() -> list[Call]:
    return [call for path in SOURCE for call in calls(path)]


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_list_of_sentences_is_current(tmp_path: Path) -> None:
    fresh = tmp_path / "spotui.pot"
    env = {**os.environ, "PYTHON": sys.executable}
    subprocess.run([ROOT / ".ci" / "sentences", fresh], env=env, check=True)

    stored = (ROOT / "spotui" / "lang" / "spotui.pot").read_text(encoding="utf-8")
    assert fresh.read_text(encoding="utf-8") == stored, "run .ci/sentences"


def test_every_sentence_is_a_literal() -> None:
    wrong = [
        call.where
        for call in all_calls()
        for text in call.texts
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str))
        and "spotui/lang/" not in call.where
        and not (
            isinstance(call.node.func, ast.Name)
            and call.node.func.id in {"_", "ngettext"}
            and is_constant(text)
        )
    ]
    assert wrong == []


def is_constant(text: ast.expr) -> bool:
    """Whether it is a constant of a module, whose sentences `N_` marks, or one of its values."""
    return isinstance(text, ast.Name | ast.Subscript | ast.Attribute)


def test_every_slot_has_a_name_and_a_value() -> None:
    wrong = []
    for call in all_calls():
        given = {keyword.arg for keyword in call.node.keywords if keyword.arg is not None}
        has_mapping = any(keyword.arg is None for keyword in call.node.keywords)
        texts = [str(text.value) for text in call.texts if isinstance(text, ast.Constant)]
        if isinstance(call.node.func, ast.Name) and call.node.func.id == "ngettext":
            given.add("n")
        used = [slots(text) if given else set() for text in texts]
        if has_mapping:
            given |= set().union(*map(slots, texts))
            used = [slots(text) for text in texts]
        if texts and (set().union(*used) != given or not used[0] <= used[-1]):
            wrong.append(f"{call.where}: {sorted(given)}")
    assert wrong == []


def test_no_function_that_shows_a_sentence_hides_the_translator() -> None:
    wrong = []
    for path in SOURCE:
        if not any(isinstance(one, ast.Name) and one.id == "_" for one in nodes(path)):
            continue
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name) and inner.id == "_"]
                contexts = {type(name.ctx) for name in names}
                called = any(isinstance(inner, ast.Call) and inner.func in names for inner in ast.walk(node))
                if called and ast.Store in contexts:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []
