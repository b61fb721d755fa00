"""Gates of a score, as a CI uses them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from spotui.cli import exit_codes
from spotui.cli.annotations import annotation
from spotui.cli.junit import RowCase, junit
from spotui.runs.gates import GateResult
from tests.cli.conftest import Shell
from tests.command_line import ROOT
from tests.model_server import JsonObject, ModelServer, conversation
from tests.row_model import answer, rows, template

BETTER, WORSE = "Add in style 6.", "Add in style 0."


def answering(request: JsonObject) -> str:
    """The sum, and for one row what GitHub would take for a command."""
    found = answer(request)
    return f"{found}\n::error::##[error]\x1b[31m" if "What is 3 plus" in conversation(request) else found


@pytest.fixture
def server(home: Path) -> Iterator[ModelServer]:
    """A template with rows, and a model that adds."""
    (home / "rows.jsonl").write_text(rows(60))
    (home / "sums.yaml").write_text(f"# sums\n{template()}")
    (home / "better.yaml").write_text(template().replace("style 0", "style 6"))
    with ModelServer(answering) as model:
        yield model


def asking(server: ModelServer) -> tuple[str, ...]:
    return ("--model", "test-model", "--base-url", server.base_url)


def test_a_worse_prompt_fails_and_the_interval_decides(shell: Shell, home: Path, server: ModelServer) -> None:
    words = ("score", "sums.yaml", *asking(server), "--fail-if-worse-than")
    said = shell(*words, "better.yaml")
    assert said.code == exit_codes.GATE
    assert said.out.splitlines()[-1].startswith("Failed: seed is worse than better.yaml: -")
    before = len(server.requests)
    assert shell(*words, f"text:{BETTER}").code == exit_codes.GATE
    assert shell(*words, "Add now in style 6.").code == exit_codes.GATE  # several words are a text
    assert len(server.requests) == before + 36
    same = shell(*words, WORSE)
    assert (same.code, same.out.splitlines()[-1]) == (
        exit_codes.OK,
        "Passed: seed is the same prompt as Add in style 0.",
    )
    # A row less of twelve is no proof.
    close = shell(
        "score",
        "sums.yaml",
        *asking(server),
        "--prompt",
        "text:Add in style 1.",
        "--json",
        "--fail-if-worse-than",
        "text:Add in style 2.",
        "--split",
        "train",
    )
    (gate,) = json.loads(close.out)["gates"]
    assert (close.code, gate["passed"]) == (exit_codes.OK, True)
    assert "is not shown to be worse than" in gate["text"]
    # Texts that begin alike are two prompts.
    long = "text:Add, with every step of the way written down on a line, in style"
    worse = ("--prompt", f"{long} 0", "--fail-if-worse-than", f"{long} 6")
    assert shell("score", "sums.yaml", *asking(server), *worse).code == exit_codes.GATE
    missing = shell(*words, "old prompt.txt")
    assert missing.code == exit_codes.USAGE
    assert "old prompt.txt cannot be read" in missing.err


def test_a_score_below_its_limit_fails(shell: Shell, server: ModelServer) -> None:
    words = ("score", "sums.yaml", *asking(server))
    below = shell(*words, "--fail-below", "50")
    assert below.code == exit_codes.GATE
    assert below.out.splitlines()[-1] == (
        "Failed: seed scores 36.1 (22.5 to 52.4), below the required 50.0. The interval includes 50.0, so "
        "other rows may decide otherwise."
    )
    assert shell(*words, "--fail-below", "36.1").code == exit_codes.OK
    assert shell(*words, "--fail-below", "20").out.splitlines()[-1].startswith("Passed: seed scores 36.1")
    for wrong in ("0.8", "eighty", "101", "nan"):
        said = shell(*words, "--fail-below", wrong)
        assert said.code == exit_codes.USAGE
        assert "--fail-below 80" in said.err


def test_a_ci_gets_gates_rows_and_annotations(
    shell: Shell, home: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    words = ("score", "sums.yaml", *asking(server), "--fail-if-worse-than", "better.yaml", "--split", "train")
    said = shell(*words, "--junit", "score.xml", "--fail-below", "1", "--all-rows")
    assert said.code == exit_codes.GATE
    first, *text = said.out.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    end = text.index(f"::{token}::")
    assert any("::error::" in line for line in text[:end])
    passed, failed = text[-2:]
    assert passed.startswith("::notice file=sums.yaml,line=2,title=Passed%3A fail-below::seed scores ")
    assert failed.startswith(
        "::error file=sums.yaml,line=2,title=Failed%3A fail-if-worse-than::seed is worse"
    )
    assert [line for line in text[end + 1 :] if line.startswith("::")] == [passed, failed]
    root = ET.parse(home / "score.xml").getroot()  # noqa: S314 - our own
    assert (root.get("tests"), root.get("failures")) == ("14", "1")
    gates, each = root.findall("testsuite")
    assert [case.get("name") for case in gates] == ["fail-below", "fail-if-worse-than"]
    assert [case.find("failure") is not None for case in gates] == [False, True]
    assert len(each) == 12
    assert each.find("testcase/failure") is None
    assert "::stop-commands" not in shell(*words, "--no-annotate").out
    data = shell(*words, "--json")
    assert json.loads(data.out)["split"] == "train"
    assert "::error file=sums.yaml" in data.err


def test_no_text_leaves_its_place() -> None:
    text = "a]]>&<b>\x00\x1b\ud800\r\n::error::\ufffe%0A"
    gates = [GateResult(name="fail-below", passed=False, text=text)]
    root = ET.fromstring(junit(text, text, gates, [RowCase(text, text, text)]))  # noqa: S314 - our own
    assert len(root.findall("testsuite/testcase")) == 2
    line = annotation("error", f"x,line=9::{text}", text, Path("a,b:c.yaml"))
    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith("::error file=a%2Cb%3Ac.yaml,line=1,title=x%2Cline=9%3A%3Aa]]>")


def test_the_action_fails_a_pull_request_that_makes_a_prompt_worse(
    shell: Shell, home: Path, server: ModelServer
) -> None:
    action = yaml.safe_load((ROOT / ".github" / "actions" / "score" / "action.yml").read_text())
    (step,) = [
        one
        for one in action["runs"]["steps"]
        if one["name" if "name" in one else "uses"] == "Score the prompt"
    ]
    inputs = {f"inputs.{name}": one.get("default", "") for name, one in action["inputs"].items()}
    given = {"template": "sums.yaml", "base-ref": "main", "arguments": " ".join(asking(server))}
    values = inputs | {f"inputs.{name}": text for name, text in given.items()}
    env = {name: values[text.strip("${} ")] for name, text in step["env"].items()}
    folder = home / "bin"
    folder.mkdir()
    (folder / "spotui").write_text(f'#!/bin/sh\nexec {sys.executable} -m spotui "$@"\n')
    (folder / "spotui").chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    names = {
        f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    run = {**os.environ, **names, **env, "PATH": path, "RUNNER_TEMP": str(home), "GITHUB_ACTIONS": "true"}
    run["PYTHONPATH"] = str(ROOT)

    def bash(script: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=run | more,
            cwd=home,
            check=False,
            capture_output=True,
            text=True,
        )

    (home / "sums.yaml").write_text(template().replace("style 0", "style 6"))
    done = bash("git init -q -b main . && git add sums.yaml && git commit -qm one")
    assert done.returncode == 0, done.stderr
    (home / "sums.yaml").write_text(template())
    worse = bash(step["run"])
    assert worse.returncode == exit_codes.GATE, worse.stderr
    assert "::error file=sums.yaml,line=1,title=Failed%3A fail-if-worse-than::seed is worse" in worse.stdout
    new = bash(step["run"], GATE_BASE="main:no-such-ref")
    assert new.returncode == exit_codes.OK
    assert "there is nothing to compare with" in new.stdout
