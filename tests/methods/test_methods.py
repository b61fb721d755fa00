"""Finding a method by its name, and what all of them make of a template that leaves something out."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spotui.domain.errors import SpotuiError
from spotui.methods import check_method, load_method, method_names
from spotui.methods.method import NoParameters
from spotui.methods.parameters import read_parameters
from spotui.methods.spo import SPO
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from spotui.workspace.spo_files import read_rounds
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Scripted, conversation
from tests.row_model import adding, kind_of, template
from tests.runs.starting import Stage
from tests.spo_model import climbing


def test_every_method_loads_by_its_name() -> None:
    assert load_method("spo") is SPO
    for name in method_names():
        method = load_method(name)
        assert method.summary.endswith(".")
        assert "arXiv" in method.source
        assert read_parameters(name, method, {}) == msgspec.convert(dict(method.defaults), method.parameters)


def test_an_unknown_method_is_refused_with_those_there_are() -> None:
    with pytest.raises(SpotuiError, match="Unknown method 'annealing'") as refused:
        check_method("annealing")
    assert "spo" in refused.value.hint
    with pytest.raises(SpotuiError) as refused:
        load_method("spoo")
    assert refused.value.hint == "Did you mean 'spo'?"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that adds two methods, one of which is broken, installed on the path."""
    (tmp_path / "annealing.py").write_text("async def optimize(engine):\n    pass\n", encoding="utf-8")
    info = tmp_path / "annealing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: annealing\nVersion: 1.0\n", encoding="utf-8")
    points = "[spotui.methods]\nannealing = annealing:optimize\nbroken = annealing:nothing\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("package")
def test_another_package_adds_a_method_by_an_entry_point() -> None:
    assert {"annealing", "spo"} <= set(method_names())
    assert load_method("annealing").parameters is NoParameters
    with pytest.raises(SpotuiError, match="'broken' cannot be loaded from annealing:nothing"):
        load_method("broken")


SMALL = {
    "gradsum": {"iterations": 2, "train_rows": 4, "subset_rows": 3, "candidates_per_parent": 2},
    "spo": {},
}
EMPTY = re.compile(r"<(\w+)>\s*</\1>")


def modest(request: JsonObject) -> str | Scripted:
    """Answers whatever any method asks."""
    if "input" not in request and re.search("<best_prompt>|<answers_of_A>", conversation(request)):
        return climbing(request)
    return adding(request)


def run(folder: Path, method: str, text: str) -> tuple[Stage, list[str]]:
    """Run a method on a template, and return all that models were asked."""
    with ModelServer(modest) as server:
        stage = Stage(folder, server)
        small = SMALL.get(method, {"max_steps": 3, "candidates_per_step": 2, "batch_size": 6})
        changes: dict[str, Any] = {"max_rounds": 3} if method == "spo" else {}
        stage.go(scored_project(stage, method, text=text, parameters=small, **changes))
        return stage, [conversation(one.json) for one in server.requests if kind_of(one.json) != "embed"]


@pytest.mark.parametrize("metric", ["metric: number", "criteria: None"])
@pytest.mark.parametrize("method", ["spo", "gpo", "ape", "apo", "opro", "pe2", "sgdm", "gradsum"])
def test_no_method_asks_with_an_empty_block_where_the_template_has_no_requirements(
    tmp_path: Path, method: str, metric: str
) -> None:
    text = re.sub(r"(?m)^requirements:.*$", "requirements: None", template())
    text = text.replace("metric: number", metric)
    assert "requirements: None" in text
    _, asked = run(tmp_path, method, text)
    assert [one for one in asked if EMPTY.search(one)] == []
    block = r"<(?:requirements|task)>\n(None are given\.|It is not described\.) .*\n</"
    assert any(re.search(block, one) for one in asked)
    if metric == "criteria: None" and method != "spo":
        assert any("<criteria>\nNone are given. " in one for one in asked)


@pytest.mark.parametrize("method", ["spo", "gpo", "ape", "opro"])
def test_methods_that_write_new_prompts_begin_with_an_empty_one(tmp_path: Path, method: str) -> None:
    stage, asked = run(tmp_path, method, re.sub(r"(?m)^prompt:.*$", "prompt: None", template()))
    assert [one for one in asked if EMPTY.search(one)] == []
    assert any(re.fullmatch(r"What is \d+ plus \d+\?", one) for one in asked)
    assert any("(none: the input is sent alone)" in one for one in asked)
    first, *others = read_rounds(stage.workspace.existing("sums").prompts)
    assert first.prompt == ""
    assert all(one.prompt for one in others)


@pytest.mark.parametrize("method", ["apo", "pe2", "sgdm", "gradsum"])
def test_methods_that_improve_a_prompt_refuse_an_empty_one(tmp_path: Path, method: str) -> None:
    with pytest.raises(SpotuiError) as refused:
        run(tmp_path, method, re.sub(r"(?m)^prompt:.*$", "prompt:", template()))
    assert str(refused.value) == (
        f"The prompt is empty, and {method} improves the prompt that it starts from. "
        "Write a prompt, or choose a method that writes new ones: spo, gpo, ape or opro."
    )


def test_a_run_of_an_earlier_edition_is_worded_as_it_was(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^requirements:.*$", "requirements: None", template())
    with ModelServer(modest) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "spo", text=text, max_rounds=2)
        write_snapshot(project.snapshot, msgspec.structs.replace(read_snapshot(project.snapshot), edition=2))
        stage.go(project)
        asked = [conversation(one.json) for one in server.requests]
    assert any("<requirements>\n\n</requirements>" in one for one in asked)
