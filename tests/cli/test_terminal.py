"""What a model writes is shown on a terminal and never obeyed; a pipe gets it as it is."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli.terminal import guarded, paint
from tests.cli.terminal import Terminal
from tests.command_line import TEMPLATE, begin, places, spotui, write_template
from tests.model_server import JsonObject, ModelServer, Persona
from tests.row_model import rows
from tests.spo_model import execute, prefer_higher_style, propose, role_of

COMMANDS = "\x1b]0;owned\x07\x1b[2J\x9b2K\x9d0;owned\x9c\x7f\r\x08\u202etxt.exe\u202c un\u200bseen \U000e0049"
"""Another title, a cleared screen, a cleared line in both spellings; a turned, a split and an unseen word."""

SEEN = (
    "<U+001B>]0;owned<U+0007><U+001B>[2J<U+009B>2K<U+009D>0;owned<U+009C><U+007F><U+000D><U+0008>"
    "<U+202E>txt.exe<U+202C> un<U+200B>seen <U+E0049>"
)
OBEYED = (
    "\x1b]0",
    "\x1b[2J",
    "\x9b",
    "\x9d",
    "\x07",
    "\x08",
    "\x7f",
    "\u202e",
    "\u202c",
    "\u200b",
    "\U000e0049",
)
MARKUP = "[/bold] :smile:"


def hostile_answer(request: JsonObject) -> str:
    return f"{COMMANDS} {execute(request)}"


def hostile_proposal(request: JsonObject) -> str:
    said = propose(request).replace("Ask for", f"{COMMANDS}{MARKUP} Ask for")
    return said.replace("with reasons", f"with {COMMANDS}reasons")


def hostile_vote(request: JsonObject) -> str:
    return prefer_higher_style(request).replace("is better", f"is {COMMANDS}better")


HOSTILE = Persona(role_of, propose=hostile_proposal, execute=hostile_answer, judge=hostile_vote)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(HOSTILE) as model:
        yield model


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory, server: ModelServer) -> dict[str, str]:
    """An environment with a project in it whose every text is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    env = places(folder, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=server.base_url)
    assert spotui("run", write_template(folder), "--model", "m", "--max-rounds", "2", env=env).code == 0
    return env


def on_terminal(env: dict[str, str], *words: str, code: int = 0) -> str:
    with Terminal(*words, env=env) as terminal:
        assert terminal.wait() == code
        return terminal.text


@pytest.mark.parametrize(
    "words",
    [
        ["show", "why"],
        ["show", "why", "2"],
        ["best", "why"],
        ["diff", "why"],
        ["test", "why", "Why?"],
        ["test", "why", "Why?", "--json"],
        ["export", "why", "--format", "markdown"],
        ["replay", "why", "--speed", "0"],
        ["replay", "why", "--speed", "0", "--plain"],
        ["replay", "why", "--speed", "0", "--json"],
    ],
    ids=" ".join,
)
def test_a_terminal_gets_no_command_of_a_models(env: dict[str, str], words: list[str]) -> None:
    text = on_terminal(env, *words)
    assert [one for one in OBEYED if one in text] == []
    assert "owned" in text
    if words[0] in ("best", "diff", "test") and "--json" not in words:
        assert SEEN in text


def test_a_pipe_gets_the_text_as_it_is(env: dict[str, str]) -> None:
    process = begin("best", "why", env=env)
    out, _ = process.communicate()
    assert COMMANDS.encode() in out
    tried = spotui("test", "why", "Why?", "--json", env=env)
    answers = [one["answer"] for one in map(json.loads, tried.out.splitlines()) if one["event"] == "answered"]
    assert answers[0].startswith(COMMANDS)


def test_a_live_run_shows_a_modification_as_it_is_written(env: dict[str, str], tmp_path: Path) -> None:
    template = write_template(tmp_path, TEMPLATE, "live.yaml")
    with Terminal("run", template, "--model", "m", "--max-rounds", "2", env=env, columns=300) as terminal:
        assert terminal.wait() == 0
    assert [one for one in OBEYED if one in terminal.text] == []
    on_one_line = SEEN.replace("<U+000D>", " ")  # a line end of any kind
    assert f"{on_one_line}{MARKUP} Ask for style 1." in terminal.text
    assert "\x1b[" in terminal.text  # its own commands


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_either_stream_is_guarded_where_it_is_a_terminal(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb") as screen, os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, name, terminal)
        with guarded():
            print(f"no{COMMANDS} \tsuch", file=getattr(sys, name), flush=True)
            paint("\rours", getattr(sys, name))
        assert getattr(sys, name) is terminal
        wanted = f"no{SEEN} \tsuch\r\n\rours".encode()
        assert screen.read(len(wanted)) == wanted


def test_what_is_no_terminal_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with guarded():
            assert sys.stdout is file


def test_scores_row_by_row_show_hostile_answers(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(rows(10))
    text = "prompt: Add.\nrequirements: The sum.\ndata: rows.jsonl\nmetric: number\n"
    template = write_template(tmp_path, text, "sums.yaml")
    shown = on_terminal(env, "score", template, "--model", "m", "--all-rows")
    assert SEEN[:50] in shown
    assert "\rscore test: row" in shown  # its own
    assert [one for one in OBEYED if one in shown] == []
