"""spotui list: a line for each project, whatever state it is in."""

import json
from pathlib import Path

from tests.cli.conftest import Shell


def test_an_empty_workspace_says_how_to_begin(shell: Shell) -> None:
    said = shell("list")
    assert said.code == 0
    assert "spotui run poem" in said.out


def test_a_finished_project(shell: Shell, workspace: Path) -> None:
    (row,) = [line.split() for line in shell("list").out.splitlines()[1:]]
    assert row[:6] == ["why", "finished", "3", "3", "$", "unknown"]


def test_as_json_one_object_a_line(shell: Shell, workspace: Path) -> None:
    (row,) = [json.loads(line) for line in shell("list", "--json").out.splitlines()]
    assert (row["name"], row["state"], row["rounds"], row["best"]) == ("why", "finished", 3, 3)


def test_a_damaged_project_is_told_of_and_hides_no_other(shell: Shell, workspace: Path) -> None:
    journal = workspace / "broken" / "journal.jsonl"
    journal.parent.mkdir()
    journal.write_text("no journal\nat all\n")
    said = shell("list")
    assert said.code == 0
    lines = {line.split()[0]: line for line in said.out.splitlines()[1:]}
    assert "damaged" in lines["broken"]
    assert str(journal) in lines["broken"]
    assert "finished" in lines["why"]


def test_another_workspace_by_flag_and_by_variable(shell: Shell, workspace: Path, tmp_path: Path) -> None:
    elsewhere = workspace.rename(tmp_path / "elsewhere")
    assert "why" not in shell("list").out
    assert "why" in shell("list", "--workspace", str(elsewhere)).out
