"""A judge is checked from the app: what it costs first, then how far it is, then what came of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.widgets import Input, Static

from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.expected import Choices
from spotui.tui.judge_check import JudgeCheckScreen
from spotui.tui.judge_line import JudgeLine
from spotui.tui.model_tables import RoleScreen
from spotui.tui.models_screen import ModelsScreen
from spotui.tui.new_run import NewRunScreen
from spotui.workspace.projects import Workspace
from tests.cli.test_judge_check import answer, prefer_whole
from tests.command_line import move_in, write_template
from tests.model_server import ModelServer, Persona, Scripted
from tests.row_model import rows, template
from tests.spo_model import prefer_first, role_of
from tests.tui.piloting import SMALL, Journey, drive, until, until_seen, workspace_in

NOT_CHECKED = "Judge: m, balanced. Not checked yet: ^t does it on why (about 27 calls, $ unknown, "


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_in(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture
def good() -> Iterator[ModelServer]:
    with ModelServer(Persona(role_of, execute=answer, judge=prefer_whole)) as server:
        yield server


def in_new_run(folder: Path, server: ModelServer, journey: Journey, path: str = "") -> None:
    """Open the screen on which a run of three questions is started."""

    async def after_opening(app: SpotuiApp, pilot: Pilot[None]) -> None:
        wanted = Path(path or write_template(folder))
        app.push_screen(NewRunScreen(app.workspace, wanted, Choices(model="m", base_url=server.base_url)))
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        await journey(app, pilot)

    place = folder / "data" / "workspace"
    drive(
        folder, after_opening, SMALL, workspace=Workspace(place if place.exists() else workspace_in(folder))
    )


def said(app: SpotuiApp) -> str:
    """Every text of the dialog that is open; what is behind it may be seen on both its sides."""
    assert all(not box.max_scroll_y for box in app.screen.query(Vertical))
    texts = [str(one.render()) for one in app.screen.query(Static)]
    return " ".join(
        " ".join([*texts, *(str(box.border_title) for box in app.screen.query(Vertical))]).split()
    )


def hints(app: SpotuiApp) -> str:
    return " ".join(str(box.border_subtitle) for box in app.screen.query(Vertical))


async def until_said(pilot: Pilot[None], *texts: str) -> None:
    app = pilot.app
    assert isinstance(app, SpotuiApp)
    await until(pilot, lambda: all(text in said(app) + hints(app) for text in texts))


def test_a_new_evaluator_is_checked_once_and_that_is_remembered(home: Path, good: ModelServer) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_said(pilot, NOT_CHECKED)
        await pilot.press("ctrl+t")
        await until_said(
            pilot, "Judge-check on why.yaml", "It takes about 27 calls, $ unknown", "enter starts"
        )
        assert not good.requests
        await pilot.press("enter")
        await until_said(
            pilot,
            "Right in 12 of 12; the order decided in 0.",
            "Votes that are right: 24 of 24, 100% (86% to 100%)",
            "Pairs of votes that the order flips: 0 of 12, 0% (0% to 24%)",
            "Spent: 27 calls, $ unknown.",
            "Votes that are right, by kind of damage:",
        )
        await until_seen(pilot, "shuffled", "██ 6 of 6")
        await pilot.press("enter")
        await until_said(pilot, "Judge: m, balanced. judge-check: 12 of 12, flips 0%.")
        assert len(good.requests) == 27
        app.screen.query_one("#model", Input).value = "another"
        await until_said(pilot, "Judge: another, balanced. Not checked yet")
        await pilot.press("escape")

    in_new_run(home, good, journey)
    in_new_run(home, good, lambda _, pilot: until_said(pilot, "judge-check: 12 of 12, flips 0%."))


def test_a_judge_that_guesses_is_warned_of(home: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_said(pilot, NOT_CHECKED)
        await pilot.press("ctrl+t", "enter")
        await until_said(
            pilot,
            "Right in 0 of 12; the order decided in 12.",
            "This judge decides by position",
            "It is not fit for a run: choose another evaluator",
        )
        await pilot.press("escape")
        await until_said(pilot, "judge-check: 0 of 12, flips 100%, not fit for a run.")

    with ModelServer(Persona(role_of, execute=answer, judge=prefer_first)) as server:
        in_new_run(home, server, journey)


def test_it_can_be_stopped_and_goes_on_without_buying_a_call_twice(home: Path) -> None:
    held: dict[str, bool] = {"votes": True}

    def vote(request: dict[str, object]) -> str | Scripted:
        return Scripted(pieces=("<analyse>",), ending="hang") if held["votes"] else prefer_whole(request)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_said(pilot, NOT_CHECKED)
        await pilot.press("ctrl+t", "enter")
        await until_said(pilot, "3 of 27 calls", "escape stops it")
        await pilot.press("escape")
        await until_said(pilot, "Stopped. What was asked until now is kept.", "enter resumes")
        await until(pilot, lambda: not server.connections)
        held["votes"] = False
        before = len(server.requests)
        await pilot.press("enter")
        await until_said(pilot, "Right in 12 of 12", "Spent: 24 calls")
        assert len(server.requests) - before == 24
        await pilot.press("enter")
        await until_said(pilot, "judge-check: 12 of 12")
        assert isinstance(app.screen, NewRunScreen)

    with ModelServer(Persona(role_of, execute=answer, judge=vote)) as server:
        in_new_run(home, server, journey)


def test_a_check_that_fails_says_why_and_can_be_tried_again(home: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_said(pilot, NOT_CHECKED)
        app.screen.query_one("#calls", Input).value = "20"
        await pilot.pause()
        await until(pilot, lambda: line(app).can_check)
        await pilot.press("ctrl+t")
        await until_said(pilot, "The budget of 20 calls may not cover the judge-check (about 27).")
        await pilot.press("enter")
        await until_said(pilot, "The judge could not be checked", "enter tries again, escape leaves")
        await pilot.press("enter")
        await until_said(pilot, "Right in 12 of 12", "Spent: 7 calls")

    with ModelServer(Persona(role_of, execute=answer, judge=prefer_whole)) as server:
        in_new_run(home, server, journey)


def test_what_is_known_of_another_template_is_told_with_its_name(home: Path, good: ModelServer) -> None:
    async def check(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_said(pilot, NOT_CHECKED)
        await pilot.press("ctrl+t", "enter")
        await until_said(pilot, "Right in 12 of 12")

    in_new_run(home, good, check)
    other = write_template(home, name="other.yaml")
    wanted = "judge-check on why: 12 of 12, flips 0%. ^t checks it on other."
    in_new_run(home, good, lambda _, pilot: until_said(pilot, wanted), path=other)


def test_a_method_that_compares_nothing_offers_no_check(home: Path, good: ModelServer) -> None:
    (home / "rows.jsonl").write_text(rows(40))
    scored = write_template(home, template(method="gpo"), "sums.yaml")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_said(pilot, "Expected:")
        await until(pilot, lambda: line(app)._offer)
        assert "Judge:" not in said(app)
        await pilot.press("ctrl+t")
        assert isinstance(app.screen, NewRunScreen)

    in_new_run(home, good, journey, path=scored)


def line(app: SpotuiApp) -> JudgeLine:
    return app.screen.query_one(JudgeLine)


def test_a_new_default_evaluator_is_offered_a_check(
    home: Path, good: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-any")
    monkeypatch.setenv("OPENAI_BASE_URL", good.base_url)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        await until_said(pilot, "likelihood. It can be checked once local/")
        for _ in ("evaluator", "executor"):
            await pilot.press("down", "enter")
            await until(pilot, lambda: isinstance(app.screen, RoleScreen))
            fields = list(app.screen.query(Input))
            await until(pilot, lambda: fields[1].value or fields[1].placeholder)  # noqa: B023
            fields[0].value = "mine"
            await pilot.press("enter", "escape")
            await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        await until_said(
            pilot, "Judge: mine, balanced. Not checked yet: c does it on product-name (about 27 calls"
        )
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, JudgeCheckScreen))
        await pilot.press("enter")
        await until_said(pilot, "Spent: 27 calls")
        await pilot.press("enter")
        await until_said(pilot, "Judge: mine, balanced. judge-check: ")

    drive(home, journey, SMALL)
    lines = (locations.judge_checks_dir() / "checks.jsonl").read_bytes().splitlines()
    assert [json.loads(one)["template"] for one in lines] == ["product-name"]
