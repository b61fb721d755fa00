"""Prompts on a question of the moment."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.run.screen import RunScreen
from spotui.tui.try_screen import QuestionBox, TryPane, TryScreen
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace
from spotui.workspace.snapshot import read_snapshot
from tests.command_line import HELD_OUT, TEMPLATE
from tests.model_server import ModelServer, Scripted, conversation, faults
from tests.model_server.scripted import JsonObject
from tests.tui.piloting import LARGE, SMALL, drive, seen, until, until_seen
from tests.workspace.snapshots import a_snapshot


async def opened(app: SpotuiApp, pilot: Pilot[None], project: Project) -> TryScreen:
    """Try it, from the run's screen."""
    run = RunScreen(project)
    app.push_screen(run)
    await until_seen(pilot, project.name, "Rounds")
    await until(pilot, lambda: not project.journal.stat().st_size or run._client.picture.opened)
    await pilot.press("t")
    await until(pilot, lambda: isinstance(app.screen, TryScreen) and isinstance(app.focused, QuestionBox))
    assert isinstance(app.screen, TryScreen)
    return app.screen


async def type_in(pilot: Pilot[None], text: str) -> None:
    await pilot.press(*("space" if letter == " " else letter for letter in text))


def test_two_prompts_answer_a_question_with_what_it_costs(
    workspace: Workspace, tmp_path: Path, model: ModelServer
) -> None:
    before = (workspace.project("why").journal).read_bytes()

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, workspace.project("why"))
        await until_seen(
            pilot, "Try it  why  test-model", "round 3, the best", "the seed", "Answer in style 2"
        )
        await type_in(pilot, "Why do fish swim?")
        await pilot.press("enter")
        await until_seen(
            pilot, "In style 2:", "In style 0:", "tok in,", "$ unknown", "2 calls outside the run"
        )
        left, right = screen.query(TryPane)
        assert left.region.y == right.region.y
        await pilot.resize_terminal(*SMALL)
        await until(pilot, lambda: left.region.y < right.region.y)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.press("t")
        await until_seen(pilot, "Why do fish swim?")

    asked = len(model.requests)
    drive(tmp_path, journey, LARGE, workspace=workspace)
    sent = {conversation(one.json) for one in model.requests[asked:]}
    assert sent == {
        "Answer in style 2, with reasons.\n\nWhy do fish swim?",
        "Answer the question.\n\nWhy do fish swim?",
    }
    assert (workspace.project("why").journal).read_bytes() == before


def test_any_round_s_prompt_can_be_tried_alone_or_beside_another(
    workspace: Workspace, tmp_path: Path
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, workspace.project("why"))
        first, second = screen.query(TryPane)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: not second.display)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: second.display)
        assert (first.border_title, second.border_title) == ("round 3, the best", "the seed")
        second.focus()
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: second.border_title == "round 2")
        await pilot.press("right_square_bracket")  # round 3 is beside it already
        first.focus()
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: first.border_title == "the seed")
        assert second.border_title == "round 2"

    drive(tmp_path, journey, workspace=workspace)


def test_a_question_of_several_lines_is_asked_as_it_is(
    workspace: Workspace, tmp_path: Path, model: ModelServer
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await opened(app, pilot, workspace.project("why"))
        await type_in(pilot, "One")
        await pilot.press("ctrl+n", "T", "w", "o", "ctrl+t", "enter")
        await until_seen(pilot, "In style 2:")

    drive(tmp_path, journey, workspace=workspace)
    assert conversation(model.requests[-1].json).endswith("\n\nOne\nTwo")


def test_the_answer_streams_and_escape_ends_the_call(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hanging(_: JsonObject) -> Scripted:
        return Scripted(pieces=("The first ", "and the rest"), ending="hang", frames=2)

    with ModelServer(hanging) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)

        async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
            screen = await opened(app, pilot, workspace.project("why"))
            await type_in(pilot, "Why?")
            await pilot.press("ctrl+t", "enter")
            await until_seen(pilot, "The first", "answering,")
            await pilot.press("enter")
            await until_seen(pilot, "escape stops it")
            await pilot.press("escape")
            await until_seen(pilot, "Stopped; the endpoint may charge", "The first")
            await until(pilot, lambda: not server.connections)
            assert app.screen is screen

        drive(tmp_path, journey, workspace=workspace)
        assert len(server.requests) == 1


def test_what_went_wrong_stands_where_the_answer_would(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(
        faults={1: faults.status(429, headers={"Retry-After": "1"}), 2: faults.status(404)}
    ) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)

        async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
            await opened(app, pilot, workspace.project("why"))
            await type_in(pilot, "Why?")
            await pilot.press("ctrl+t", "enter")
            await until_seen(pilot, "Asked again in")
            await until_seen(pilot, "HTTP 404")
            await pilot.press("enter")
            await until_seen(pilot, "tok in,")

        drive(tmp_path, journey, workspace=workspace)


def test_without_a_round_it_says_so(workspace: Workspace, tmp_path: Path) -> None:
    project = create_project(workspace, "empty", a_snapshot(template=TEMPLATE))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await opened(app, pilot, project)
        await until_seen(pilot, "No round has ended yet")
        await type_in(pilot, "Why?")
        await pilot.press("enter", "ctrl+t")
        await until_seen(pilot, "no other prompt")
        assert "answering" not in seen(app)

    drive(tmp_path, journey, workspace=workspace)


async def add(app: SpotuiApp, pilot: Pilot[None], project: Project, choice: str) -> None:
    await opened(app, pilot, project)
    await type_in(pilot, "Why?")
    if choice != "q":
        await pilot.press("enter")
        await until_seen(pilot, "In style 2:", "In style 0:")
    await pilot.press("ctrl+s")
    await until_seen(pilot, "Add to why.yaml", "the question alone")
    await pilot.press(choice)


@pytest.mark.parametrize(("choice", "answer"), [("q", "None"), ("a", "'In style 2"), ("b", "'In style 0")])
def test_a_question_goes_into_the_template_with_any_answer_as_its_reference(
    workspace: Workspace, tmp_path: Path, choice: str, answer: str
) -> None:
    own = locations.templates_dir() / "why.yaml"
    own.parent.mkdir(parents=True)
    text = "# mine\n" + TEMPLATE + HELD_OUT + "    # the last one\n"
    own.write_text(text)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await add(app, pilot, workspace.project("why"), choice)
        await until_seen(pilot, "It is question 5 of why.yaml")
        await pilot.press("ctrl+s", "q")
        await until_seen(pilot, "has this question already")

    drive(tmp_path, journey, workspace=workspace)
    added = own.read_text().removeprefix(text.removesuffix("    # the last one\n"))
    assert added.count("- question: Why?") == 1
    assert f"answer: {answer}" in added
    assert "# the last one" in added


def test_a_template_that_is_gone_is_made_again_with_the_question(
    workspace: Workspace, tmp_path: Path
) -> None:
    project = workspace.project("why")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await add(app, pilot, project, "q")
        await until_seen(pilot, "Name your template")
        await pilot.press("enter")
        await until_seen(pilot, "It is question 5 of why.yaml")

    drive(tmp_path, journey, workspace=workspace)
    made = (locations.templates_dir() / "why.yaml").read_text()
    assert made.startswith(read_snapshot(project.snapshot).template)


def test_a_shipped_template_is_copied_under_a_name_first(workspace: Workspace, tmp_path: Path) -> None:
    from msgspec.structs import replace

    shipped = replace(a_snapshot(template=TEMPLATE), template_name="poem.yaml")
    project = create_project(workspace, "verse", shipped)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await opened(app, pilot, project)
        await type_in(pilot, "Why?")
        await pilot.press("ctrl+s")
        await until_seen(pilot, "Add to poem.yaml")
        await pilot.press("q")
        await until_seen(pilot, "comes with spotui: name your copy")
        await pilot.press("m", "y", "enter")
        await until_seen(pilot, "of my.yaml")

    drive(tmp_path, journey, workspace=workspace)
    assert "- question: Why?" in (locations.templates_dir() / "my.yaml").read_text()
