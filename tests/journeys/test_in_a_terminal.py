"""The same journeys in a terminal: real keys, real processes, and a screen that is read as it is painted."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from spotui.lang import _
from spotui.workspace.projects import Workspace
from tests.command_line import spotui
from tests.journeys.inspection import cut_texts, english_in
from tests.journeys.tasks import CHINESE, ENGLISH, MODEL, Task
from tests.journeys.traveller import said
from tests.model_server import ModelServer
from tests.terminal import Terminal


def in_language(task: Task) -> pytest.MarkDecorator:
    """A mark for a journey in one language."""
    return pytest.mark.parametrize("traveller", [(task, None)], indirect=True, ids=[task.language])


@contextmanager
def opened(home: Path, size: tuple[int, int], *words: str, **environ: str) -> Iterator[Terminal]:
    """The app in a terminal, from its first screen to its exit code."""
    columns, rows = size
    variables: dict[str, str | None] = {**dict(os.environ), **environ}
    command = [sys.executable, "-m", "spotui", *words]
    with Terminal(command, columns=columns, rows=rows, environ=variables) as terminal:
        yield terminal
        if terminal.process.poll() is None:
            terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0


_LOOKS = 20
_TAGS = ("analyse", "modification", "prompt", "choose")
"""Of replies, which a log shows as they come, also below a dialog that stays."""


def inspect(terminal: Terminal, task: Task, *names: str) -> None:
    """Nothing on the screen is cut or in a foreign language; replies that stream through it do not count."""
    data = "\n".join([task.texts, *names, *_listed()])
    known = {word for name in (*names, MODEL, *_TAGS, *_listed()) for word in re.findall("[A-Za-z]+", name)}
    staying: set[str] | None = None
    for look in range(_LOOKS):
        terminal.settle(quiet=0.2, seconds=0.4 + 0.03 * look)  # not always at the same moment of a reply
        faults = {*cut_texts(terminal.text, data)}
        if task is CHINESE:
            faults |= {*english_in(terminal.text, data, known)}
        staying = faults if staying is None else staying & faults
        if not staying:
            return
    assert not staying, "\n".join([*sorted(staying or ()), terminal.text])


def _listed() -> Sequence[str]:
    return ("local/qwen2.5-coder-1.5b", "local qwen coder b", "workspace data", "txt html yaml")


@in_language(CHINESE)
def test_a_first_run(home: Path, task: Task) -> None:
    with opened(home, (80, 24)) as terminal:
        terminal.wait_for(MODEL, said("2  A template"))
        inspect(terminal, task)
        terminal.press("enter", "escape")
        terminal.wait_for(said("No projects yet")[:8])
        terminal.press("n")
        terminal.wait_for(said("Paste the prompt that you want")[:8])
        terminal.press(task.prompt, "ctrl+s")
        terminal.wait_for(said("Paste at least five questions")[:8])
        for question in task.questions:
            terminal.press(question, "enter")
        terminal.press("ctrl+s")
        terminal.wait_for(said("Say what a good answer is like.")[:8])
        terminal.press(task.requirements, "ctrl+s")
        terminal.wait_for(said("This is the template."))
        inspect(terminal, task, "template")
        terminal.press("enter")
        terminal.wait_gone(said("This is the template."))
        terminal.press("enter")
        terminal.wait_for(_("Expected: "))
        inspect(terminal, task, "template yaml")
        terminal.press(*["tab"] * 6, "3")
        terminal.wait_for(" 3 ")
        terminal.wait_for(_("Expected: "))
        terminal.press("enter")
        terminal.wait_for(said("Stopped: "))
        terminal.press("5")
        terminal.wait_for(task.styled.format(2))
        inspect(terminal, task, "template")


@in_language(ENGLISH)
def test_a_system_prompt_from_an_import(home: Path, task: Task, server: ModelServer) -> None:
    (home / "chats.jsonl").write_text(task.chats, "utf-8")
    with opened(home, (120, 40)) as terminal:
        terminal.wait_for(MODEL, "2  A template")
        terminal.press("enter", "escape")
        terminal.wait_for("No projects yet")
        terminal.press("i")
        terminal.wait_for("Nothing in it is run.", "chats.jsonl")
        terminal.press("chats.jsonl")
        terminal.wait_for(task.prompt, "1 thing is left out or changed:")
        inspect(terminal, task)
        terminal.press("ctrl+s")
        terminal.wait_for("1 template is imported.")
        (file,) = (home / "data" / "templates").glob("*.yaml")
        assert "position: system" in file.read_text("utf-8")
        file.write_text(
            file.read_text("utf-8").replace("requirements: None", f"requirements: {task.requirements}")
        )
        terminal.press("enter")
        terminal.wait_for("Expected: about")
        terminal.press(*["tab"] * 6, "2")
        terminal.wait_for(" 2 ")
        terminal.settle(quiet=1.0)
        terminal.wait_for("Expected: about")
        terminal.press("enter")
        terminal.wait_for("Stopped: finished")
        inspect(terminal, task, "chats")
    assert any(
        one.json["messages"][0] == {"role": "system", "content": task.styled.format(1)}
        for one in server.requests
    )


@in_language(CHINESE)
def test_watching_a_long_run(home: Path, workspace: Workspace, task: Task, server: ModelServer) -> None:
    server.pause = 0.05
    words = ("run", "why", "--name", "watched", "--model", MODEL, "--max-rounds", "99", "--detach", "--yes")
    assert spotui(*words, env=dict(os.environ)).code == 0
    try:
        with opened(home, (80, 24), SSH_CONNECTION="192.0.2.1 50000 192.0.2.2 22") as terminal:
            terminal.wait_for("watched", _("running"))
            terminal.press("enter")
            terminal.wait_for(_("running"), task.change.format(2))
            for panel, text in (("4", task.change.format(1)), ("5", task.styled.format(1)[:4]), ("6", "┤")):
                terminal.press(panel)
                terminal.wait_for(text)
            terminal.press("2", "f")
            inspect(terminal, task, "watched")
            terminal.press("ctrl+q")
            terminal.wait_for(said("leave; the run continues"))
            inspect(terminal, task, "watched")
            terminal.press("l")
            assert terminal.wait_exit() == 0
    finally:
        stopped = spotui("attach", "watched", "--send", "stop", env=dict(os.environ))
    assert stopped.code == 0, stopped


@in_language(ENGLISH)
def test_comparing_methods(home: Path, workspace: Workspace, task: Task) -> None:
    with (
        ModelServer(task.counting_model) as server,
        opened(home, (200, 60), OPENAI_BASE_URL=server.base_url) as terminal,
    ):
        terminal.wait_for("sums-race/gpo", "why")
        terminal.press("tab", "/", "sums", "enter")
        terminal.wait_for("1 of 13 rows")
        terminal.press("c")
        terminal.wait_for("New race on sums.yaml", "Expected, one after another:")
        terminal.press("ctrl+k", "gpo,ape", "tab")
        terminal.press("gpo.max_steps=2 gpo.candidates_per_step=2 ape.max_steps=1 ape.candidates_per_step=2")
        terminal.press("tab", MODEL)
        terminal.wait_for("ape             2 ", "$ unknown")
        inspect(terminal, task)
        terminal.press("enter")
        terminal.wait_for("sums-race-2", "Winner: ")
        inspect(terminal, task)
        terminal.press("c")
        terminal.wait_for("gpo answers", "The difference is")
        inspect(terminal, task)
        terminal.press("escape")
        terminal.wait_for("Winner: ")


@in_language(CHINESE)
def test_taking_the_result_to_production(home: Path, workspace: Workspace, task: Task) -> None:
    with opened(home, (120, 40)) as terminal:
        terminal.wait_for("why", "sums-race/gpo")
        terminal.press("/", "why", "enter")
        terminal.wait_for("why")
        terminal.press("enter")
        terminal.wait_for(said("Stopped: "))
        terminal.press("x")
        terminal.wait_for(_("write a report of the run, as a page for the browser"))
        inspect(terminal, task, "why")
        terminal.press("p")
        terminal.wait_for(_("Write to"))
        terminal.press("enter")
        terminal.wait_for(said("Wrote {path}."))
        terminal.press("r")
        terminal.wait_for(_("Write to"))
        terminal.press("enter")
        terminal.wait_for("why.html")
    for file in ("why.txt", "why.html"):
        outcome = spotui("verify", file, env=dict(os.environ))
        assert outcome.code == 0, outcome
        assert _("The file says what the journal says.") in outcome.out
