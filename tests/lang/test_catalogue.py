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
from tests.source import FILES, parsed, without_collecting

MARKERS = {"_": 1, "N_": 1, "NN_": 2, "ngettext": 2}
KINDS = (ast.Call, ast.Name, ast.FunctionDef, ast.AsyncFunctionDef)


class Call(NamedTuple):
    where: str
    node: ast.Call
    texts: list[ast.expr]


@cache
def nodes(path: Path) -> list[ast.AST]:
    text = path.read_text(encoding="utf-8")
    if not any(f"{marker}(" in text for marker in MARKERS):
        return []
    return [node for node in ast.walk(parsed(path)) if isinstance(node, KINDS)]


def calls(path: Path) -> Iterator[Call]:
    for node in nodes(path):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKERS:
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield Call(where, node, node.args[: MARKERS[node.func.id]])


@cache
def all_calls() -> list[Call]:
    with without_collecting():
        return [call for path in FILES for call in calls(path)]


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_list_of_sentences_is_current(tmp_path: Path) -> None:
    fresh = tmp_path / "spotui.pot"
    env = {**os.environ, "PYTHON": sys.executable}
    subprocess.run([ROOT / ".ci" / "sentences", fresh], env=env, check=True)

    stored = (ROOT / "spotui" / "lang" / "spotui.pot").read_text(encoding="utf-8")
    assert fresh.read_text(encoding="utf-8") == stored, "run .ci/sentences"


def test_every_sentence_is_a_literal_that_no_function_hides_from_the_translator() -> None:
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
    hidden = []
    for path in FILES:
        marks = [one for one in nodes(path) if isinstance(one, ast.Name) and one.id == "_"]
        if not any(isinstance(one.ctx, ast.Store) for one in marks):
            continue
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name) and inner.id == "_"]
                contexts = {type(name.ctx) for name in names}
                called = any(isinstance(inner, ast.Call) and inner.func in names for inner in ast.walk(node))
                if called and ast.Store in contexts:
                    hidden.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert hidden == []


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
