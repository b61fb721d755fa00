"""Before a start, the fields show the values that will be used, and the budget says what it limits."""

import asyncio
from pathlib import Path

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.cli import parsers_of
from spotui.settings import locations
from spotui.settings.config_file import load_config
from spotui.settings.table import ROLES
from spotui.tui.app import SpotuiApp
from spotui.tui.endpoint_screen import EndpointScreen
from spotui.tui.expected import Choices
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.home.welcome import WelcomeScreen
from spotui.tui.method_screen import MethodChoice
from spotui.tui.new_run import NewRunScreen
from spotui.tui.race.new import NewRaceScreen
from spotui.tui.table_view import TableView
from spotui.workspace.projects import Workspace
from tests.command_line import move_in, write_template
from tests.model_server import ModelServer
from tests.row_model import rows, template
from tests.tui.piloting import LARGE, SMALL, drive, until, until_seen, workspace_in

URL = "http://127.0.0.1:9/v1"
CONFIG = """\
roles:
  optimizer: {model: big}
  evaluator: {model: big}
  executor: {model: small}
run: {max_rounds: 7}
budget: {usd: 0.5}
"""


def test_a_check_of_the_judge_gets_the_choices_that_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    choices = Choices(
        "m",
        "http://127.0.0.1:9/v1",
        "3",
        *("1", "2", "3", "4"),
        MethodChoice("gpo", {"max_steps": 1}),
        optimizer="o",
        evaluator="e",
        executor="x",
    )
    (parser,) = parsers_of("judge-check")
    parsed = parser.parse_args(["poem", *choices.judge_words])
    assert (parsed.model, parsed.method, parsed.budget_minutes) == ("m", "gpo", "4")
    assert (parsed.eval_model, parsed.exec_model) == ("e", "x")
    with pytest.raises(SystemExit):
        parser.parse_args(["poem", *choices.words])
    assert "does not take --" in capsys.readouterr().err


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A template with rows, and a config file."""
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=URL)
    locations.config_file().parent.mkdir(parents=True, exist_ok=True)
    locations.config_file().write_text(CONFIG)
    (tmp_path / "rows.jsonl").write_text(rows(60))
    return Path(write_template(tmp_path, template(), "adding.yaml"))


def placeholders(app: SpotuiApp) -> dict[str, str]:
    return {field.id or "": field.placeholder for field in app.screen.query(Input)}


def test_empty_fields_show_what_a_run_will_use(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.push_screen(NewRunScreen(app.workspace, path))
        await until(pilot, lambda: placeholders(app).get("rounds") == "7")
        assert placeholders(app) == {
            "name": "",
            "model": "one for each role:",
            "optimizer": "big",
            "evaluator": "big",
            "executor": "small",
            "base_url": URL,
            "rounds": "7",
            "usd": "0.5, as in your settings",
            "tokens": "empty = no limit",
            "calls": "empty = no limit",
            "minutes": "empty = no limit",
        }
        await until_seen(pilot, "Budget, USD", "Budget, minutes ", "enter starts")
        await until_seen(pilot, "6 calls, ")  # of the optimizer
        app.screen.query_one("#model", Input).value = "other"
        await until(pilot, lambda: placeholders(app)["executor"] == "other")
        app.screen.query_one("#executor", Input).value = "third"
        await until(pilot, lambda: placeholders(app)["model"] == "one for each role:")
        assert "--exec-model=third" in app.screen.chosen.words  # type: ignore[attr-defined]
        app.screen.query_one("#name", Input).value = "other"
        app.screen.query_one("#name", Input).focus()
        await pilot.press("enter")
        await until_seen(pilot, "There is a project 'other' already. Type another name")

    drive(path.parent, journey, SMALL, workspace=Workspace(workspace_in(path.parent)))


def test_a_race_shows_the_rounds_of_every_method(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.push_screen(NewRaceScreen(app.workspace, path))
        await until_seen(pilot, "Budget each, USD", "spo 7, gpo 7, gradsum 7", "enter starts")
        assert placeholders(app)["usd"] == "0.5, as in your settings"
        assert [placeholders(app)[role] for role in ROLES] == ["big", "big", "small"]
        app.screen.query_one("#executor", Input).value = "third"
        await until(pilot, lambda: placeholders(app)["model"] == "one for each role:")
        assert "--exec-model=third" in app.screen.chosen.words  # type: ignore[attr-defined]

    drive(path.parent, journey, SMALL, workspace=Workspace(workspace_in(path.parent)))


def test_nothing_starts_before_it_is_seen_what_it_will_take(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        is_held, expected = asyncio.Event(), NewRunScreen.expected

        async def late(screen: NewRunScreen) -> Content:
            await is_held.wait()
            return await expected(screen)

        monkeypatch.setattr(NewRunScreen, "expected", late)
        app.push_screen(NewRunScreen(app.workspace, path))
        await until_seen(pilot, "enter starts")
        await pilot.press("enter")
        await until_seen(pilot, "not worked out yet")
        is_held.set()
        await until_seen(pilot, "Expected: about")

    workspace = Workspace(workspace_in(path.parent))
    before = {*workspace.root.iterdir()}
    drive(path.parent, journey, workspace=workspace)
    assert {*workspace.root.iterdir()} == before


def test_a_model_chosen_at_the_welcome_is_that_of_later_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: ModelServer
) -> None:
    move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "test-model")  # the welcome comes by itself where there is no project
        await pilot.press("enter", "escape")
        await until_seen(pilot, "Later runs use test-model as well")
        await until(pilot, lambda: isinstance(app.focused, TemplatesPanel))

    drive(tmp_path, journey, LARGE, workspace=Workspace(tmp_path / "none"))
    assert "test-model" in locations.config_file().read_text()


def test_a_model_that_was_not_found_is_added_at_the_welcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: ModelServer
) -> None:
    move_in(monkeypatch, tmp_path)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.push_screen(WelcomeScreen())
        await until_seen(pilot, "another model or endpoint", "embedded")
        app.screen.query_one("#models", TableView).select("other")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, EndpointScreen) and app.screen.query(Input))
        app.screen.query_one("#model", Input).value = "mine"
        app.screen.query_one("#base_url", Input).value = model.base_url
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        await until_seen(pilot, "mine", "your settings")
        await until(pilot, lambda: isinstance(app.focused, TemplatesPanel))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        await until(pilot, lambda: app.screen.query_one("#model", Input).value == "mine")

    drive(tmp_path, journey, LARGE, workspace=Workspace(workspace_in(tmp_path)))
    assert load_config().config.models["mine"].base_url == model.base_url
