"""A method of another package brings all that it needs, and fails without a traceback."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.cli import exit_codes
from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.method_screen import MethodLine, MethodScreen
from spotui.tui.new_run import NewRunScreen
from spotui.tui.table_view import TableView
from spotui.wire import process as own_process
from spotui.workspace.projects import Workspace
from spotui.workspace.snapshot import read_snapshot
from tests.cli.terminal import Terminal
from tests.command_line import ROOT, Outcome, move_in, places, spotui, write_template
from tests.model_server import ModelServer, conversation
from tests.row_model import adding, rows, template
from tests.tui.piloting import Journey, drive, until, until_seen, workspace_in

PACKAGE = ROOT / "tests" / "second_package"
DONE = {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
PATHS = f"{PACKAGE}{os.pathsep}{ROOT}"


class Place:
    """A folder with a template, a model, and another package that is installed."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.folder, self.server = folder, server
        self.env = places(folder, PYTHONPATH=PATHS, OPENAI_API_KEY="sk-the-key")
        self.template = write_template(folder, template(), "sums.yaml")
        (folder / "rows.jsonl").write_text(rows(60))

    def __call__(self, *words: str, **env: str) -> Outcome:
        return spotui(*words, env=self.env | env)

    def run(self, *words: str) -> Outcome:
        model = ("--model", "test-model", "--base-url", self.server.base_url)
        return self("run", self.template, *model, "--method", "pareto", "--name", "p", "--yes", *words)

    @property
    def asked(self) -> list[str]:
        return [conversation(one.json) for one in self.server.requests]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with ModelServer(adding) as server:
        yield Place(tmp_path, server)


def test_it_runs_with_its_meta_prompts_and_notes(place: Place) -> None:
    said = place.run()
    assert said.code in DONE, said.err
    assert said.err.startswith("Expected: about ")
    assert re.search(r"(?m)^round 2: lesson: Carry the one\. \w{6}$", said.out)
    assert any("somebody noted what it lacks" in text and "Carry the one." in text for text in place.asked)
    project = Workspace(place.folder / "data" / "workspace").project("p")
    kept = read_snapshot(project.snapshot)
    assert {"pareto_propose", "pareto_learn"} <= kept.meta_prompts.keys()
    assert "spo_propose" not in kept.meta_prompts


def test_its_column_its_block_its_parents_and_its_gate_show_on_every_surface(place: Place) -> None:
    said = place.run("--set", "steps=5")
    assert said.code in DONE, said.err
    lines = said.out.splitlines()
    assert "round 3: candidate 1 from rounds 2 and 1: Style 2." in lines
    assert "round 3: candidate 1 refused: it does no better on the batch" in lines
    assert "round 3: front: 2 prompts that no other beats on some eval row" in lines
    assert any(
        line.startswith("round 3: refused (it does no better on the batch); best is ") for line in lines
    )
    table = place("show", "p").out
    assert re.search(r"(?m)^round  verdict  score  tokens +cost +time  front  s/answer  modification$", table)
    assert re.search(r"(?m)^   3   refused .* 2 +Style 2\.$", table)
    assert re.search(r"(?m)^   6\*  lead .* 3 +[\d.]+ s +Style 2\.$", table)
    third = place("show", "p", "3").out
    assert third.startswith("Round 3: refused, from rounds 2 and 1\nfront: 2\n")
    assert "it does no better on the batch" in third
    kept = json.loads(place("show", "p", "3", "--json").out)
    assert (kept["outcome"], kept["columns"], kept["other_parents"]) == ("refused", {"front": 2}, [1])
    assert kept["prompt"] == "Add in style 2, way 2." or kept["prompt"].startswith("Add in style 2")
    bought = len(place.server.requests)
    again = place("replay", "p", "--json")
    told = [json.loads(line) for line in again.out.splitlines()]
    assert len(place.server.requests) == bought
    (opened,) = [one for one in told if one["event"] == "run_opened"]
    assert opened["columns"] == ["front"]
    assert opened["notes"] == [{"name": "lesson", "purpose": "learn"}]
    ends = {one["round"]: one for one in told if one["event"] == "round_finished"}
    assert [ends[number].get("columns") for number in (1, 3)] == [None, {"front": 2}]
    (front,) = [one for one in told if one["event"] == "block_shown" and one["round"] == 3]
    assert [item["facts"]["rows led"] > 0 for item in front["items"]] == [True, True]
    (merged,) = [one for one in told if one["event"] == "candidate_proposed" and one["round"] == 3]
    assert (merged["parent"], merged["other_parents"]) == (2, [1])


def test_of_recorded_rounds_the_plain_log_has_only_how_they_ended(place: Place) -> None:
    assert place.run().code in DONE
    bought = len(place.server.requests)
    said = place("resume", "p", "--plain")
    lines = [line for line in said.out.splitlines() if line.startswith("round ")]
    assert [line[: line.index(";")] for line in lines] == [
        "round 1: seed, score 50.0 (25.4 to 74.6)",
        "round 2: tie, score 50.0 (25.4 to 74.6)",
        "round 3: refused (it does no better on the batch)",
    ]
    assert len(place.server.requests) == bought


def test_a_terminal_shows_its_column_and_its_notes_while_it_runs(place: Place) -> None:
    place.server.delay = 0.3
    model = ("--model", "test-model", "--base-url", place.server.base_url)
    words = ("run", place.template, *model, "--method", "pareto", "--name", "p", "--yes", "--set", "steps=3")
    with Terminal(*words, env=place.env, columns=100) as terminal:
        terminal.read_until("writing lesson 1")
        assert terminal.wait() in DONE
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.text)
    assert re.search(r"round +verdict +score +tokens +cost +time +front +modification", text)
    assert re.search(r"3 +refused .* 2 +Style 2\.", text)


def test_its_run_is_read_where_the_package_is_not_installed(place: Place) -> None:
    assert place.run().code in DONE
    for command in ("show p", "show p 2", "list", "best p", "export p --format json"):
        said = place(*command.split(), PYTHONPATH=str(ROOT))
        assert said.code == exit_codes.OK, said.err
        assert "front" in said.out or not command.startswith("show"), said.out
    said = place("resume", "p", "--max-rounds", "4", PYTHONPATH=str(ROOT))
    assert (said.code, "Traceback" in said.err) == (exit_codes.FAILED, False)
    assert "Unknown method 'pareto'." in said.err


def test_methods_lists_its_meta_prompts_with_their_slots(place: Place) -> None:
    said = place("methods", "pareto")
    assert (
        "\npareto_propose\n    {task}: what the run is for\n    {prompt}: the prompt to improve\n" in said.out
    )
    (method,) = json.loads(place("methods", "pareto", "--json").out)
    assert [one["name"] for one in method["meta_prompts"]] == [
        "pareto_propose",
        "pareto_learn",
        "pareto_combine",
    ]
    assert (method["notes"], list(method["columns"]), list(method["blocks"])) == (
        ["lesson"],
        ["front"],
        ["front"],
    )
    assert method["meta_prompts"][0]["slots"]["lesson"] == "what it lacks"


@pytest.mark.parametrize("beside", [False, True])
def test_a_user_replaces_its_meta_prompt_and_check_looks_at_the_slots(place: Place, beside: bool) -> None:
    folder = place.folder / "sums.prompts" if beside else place.folder / "config" / "prompts"
    folder.mkdir(parents=True)
    own = folder / "pareto_propose.txt"
    own.write_text("Meine Worte. <current_prompt>{prompt}</current_prompt> {lesson}")
    for said in (place("check", place.template), place.run()):
        assert said.code == exit_codes.FAILED
        assert f"{own} lacks the slot {{task}}" in said.err
    own.write_text(own.read_text() + "{task}")
    assert place("check", place.template).code == exit_codes.OK
    assert place.run().code in DONE
    assert any(text.startswith("Meine Worte.") for text in place.asked)
    own.rename(folder / "pareto_propos.txt")
    said = place("check", place.template)
    assert "Did you mean pareto_propose.txt?" in said.err


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("method", "ValueError: the front is empty"),
        ("group", "ValueError: the front is empty"),
        (
            "undeclared",
            "LookupError: the meta-prompt 'pareto_merge' is not declared by the method",
        ),
        ("exit", "RuntimeError: it called sys.exit('no more')"),
        ("note", "LookupError: the note 'advice' is not declared by the method"),
        ("column", "LookupError: the column 'lead' is not declared by the method"),
        ("block", "LookupError: the block 'pool' is not declared by the method"),
        ("check", "KeyError: 'front'"),
    ],
)
def test_an_error_in_it_ends_the_run_as_failed_and_keeps_everything(
    place: Place, fault: str, cause: str
) -> None:
    said = place.run("--set", f"fault={fault}")
    assert said.code == exit_codes.CALL_FAILED
    assert "Traceback" not in said.out + said.err
    log = place.folder / "log" / "p.log"
    last = said.err.splitlines()[-1]
    start = re.escape(f"spotui: The run failed with {cause} ({PACKAGE / 'pareto.py'}, line ")
    assert re.fullmatch(start + rf"\d+\)\. The traceback is in {re.escape(str(log))}\. Fix .*", last), last
    assert "Traceback (most recent call last)" in log.read_text()
    if fault not in {"method", "check"}:  # all of them end the same way
        return
    listed = json.loads(place("list", "--json").out)
    assert (listed["state"], listed["rounds"]) == ("failed", 2)
    before = len(place.server.requests)
    assert (
        place("resume", "p", "--yes").code == exit_codes.CALL_FAILED
    )  # it fails again, and pays nothing twice
    assert len(place.server.requests) == before


HOOKS = {
    "rounds": "The function 'rounds' of the method 'pareto' failed with ZeroDivisionError: ",
    "calls": "The function 'calls' of the method 'pareto' failed with KeyError: 'rows' (",
    "embeds": "The function 'embeds' of the method 'pareto' failed with AssertionError: nothing to embed (",
    "edits": "The function 'edits' of the method 'pareto' failed with SystemExit (",
    "asks": "The function 'asks' of the method 'pareto' failed with RuntimeError (",
    "endless": "The function 'rounds' of the method 'pareto' gave -1, which is not a number of rounds.",
    "nobody": "The function 'asks' of the method 'pareto' gave ('optimizer', 'nobody'), which is not a tuple",
}


@pytest.mark.parametrize(("fault", "cause"), HOOKS.items())
def test_a_function_that_fails_is_named_by_every_verb_and_nothing_is_bought(
    place: Place, fault: str, cause: str
) -> None:
    text = template() + f"method: pareto\nparameters: {{fault: {fault}}}\n"
    write_template(place.folder, text, "sums.yaml")
    if fault == "edits":
        Path(place.template).write_text(text.replace("prompt: Add in style 0.\n", "prompt: ''\n"))
    model = ("--model", "test-model", "--base-url", place.server.base_url)
    verbs = [("estimate", place.template, *model), ("run", place.template, *model, "--yes", "--name", "p")]
    if fault != "calls":
        verbs.append(("check", place.template))
    said = [place(*words) for words in verbs]
    assert {one.code for one in said[:2]} == {exit_codes.FAILED}, [one.err for one in said]
    for one in said[:2]:
        assert cause in one.err, one.err
        assert "Fix or update its package." in one.err
    assert not any("Traceback" in one.err + one.out for one in said)
    assert place.server.requests == []


def test_a_meta_prompt_without_a_text_is_refused_before_the_run(place: Place) -> None:
    said = place.run("--method", "unnamed")
    assert (said.code, "Traceback" in said.err) == (exit_codes.FAILED, False)
    assert "'pareto_merge' has no text. Declare it as MetaPrompt(name, text, slots)." in said.err
    assert place.server.requests == []
    listed = place("methods")
    assert listed.code == exit_codes.OK
    assert re.search("pareto +Reflects", listed.out)
    assert "'pareto_merge' has no text" in listed.err


@pytest.fixture
def in_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Journey], None]]:
    """Go through the app with a template and the package."""

    def go(text: str, journey: Journey) -> None:
        write_template(locations.templates_dir(), text, "adding.yaml")
        drive(tmp_path, journey, workspace=Workspace(workspace_in(tmp_path)))

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(PACKAGE))
    with ModelServer(adding) as server:
        move_in(
            monkeypatch,
            tmp_path,
            OPENAI_API_KEY="sk-the-key",
            OPENAI_BASE_URL=server.base_url,
            PYTHONPATH=PATHS,
        )
        locations.templates_dir().mkdir(parents=True)
        (locations.templates_dir() / "rows.jsonl").write_text(rows(60))
        yield go
        for process in own_process._children:
            process.kill()
            process.wait()


def test_a_function_that_fails_is_named_on_the_screen_of_a_new_run(
    in_the_app: Callable[[str, Journey], None],
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "adding")
        app.screen.query_one("TemplatesPanel").select_named("adding")  # type: ignore[attr-defined]
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        app.screen.query_one("#model", Input).value = "test-model"
        await until_seen(
            pilot, "The function 'rounds' of the method 'pareto' failed with", "ZeroDivisionError"
        )
        app.screen.query_one("#name", Input).focus()
        await pilot.press("enter")
        await pilot.pause(0.5)
        assert isinstance(app.screen, NewRunScreen)

    in_the_app(template() + "method: pareto\nparameters: {fault: rounds}\n", journey)


def test_the_app_runs_it(in_the_app: Callable[[str, Journey], None]) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "adding")
        app.screen.query_one("TemplatesPanel").select_named("adding")  # type: ignore[attr-defined]
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        screen = app.screen
        screen.query_one("#model", Input).value = "test-model"
        screen.query_one("#name", Input).value = "mine"
        screen.query_one(MethodLine).focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MethodScreen))
        await until_seen(pilot, "pareto")
        app.screen.query_one("#methods", TableView).select("pareto")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is screen)
        screen.query_one("#name", Input).focus()
        await pilot.press("enter")
        await until_seen(pilot, "from rounds 2 and 1", "candidate 1 refused", "Refused: round 1", "finished")
        await until_seen(pilot, "words  front  modif", "front: prompts that no other beats")
        entries = app.screen._client.story.entries  # type: ignore[attr-defined]
        notes = [(one.title, one.aside[:14]) for one in entries if one.kind == "note"]
        assert notes == [("lesson", "Carry the one.")]

    in_the_app(template(), journey)
