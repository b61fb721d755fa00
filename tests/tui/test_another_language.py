"""Another language reaches every screen that is open, from the settings and from the palette."""

import asyncio
import importlib
import json
import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import DirectoryTree, Input, TextArea
from textual.widgets.text_area import Selection

import spotui.tui
from spotui import lang
from spotui.lang import N_, _, current_language
from spotui.runs.drafts import Draft
from spotui.settings import locations
from spotui.settings.language import saved_language
from spotui.settings.resources import tour_dir
from spotui.settings.table import DEFAULT_MODEL
from spotui.settings.themes import theme_names
from spotui.tui.answers_screen import AnswersScreen
from spotui.tui.app import SpotuiApp
from spotui.tui.bindings import own_bindings, widget_types
from spotui.tui.defaults import LANGUAGE, save
from spotui.tui.dialogs import Choice, NameScreen, QuestionScreen
from spotui.tui.endpoint_screen import Endpoint, EndpointScreen
from spotui.tui.headroom import HeadroomScreen
from spotui.tui.home.import_screen import ImportScreen
from spotui.tui.home.screen import HomeScreen
from spotui.tui.home.trash import ArchiveScreen
from spotui.tui.home.welcome import WelcomeScreen
from spotui.tui.home.wizard import NewTemplateScreen
from spotui.tui.judge_check import JudgeCheckScreen
from spotui.tui.judge_line import Offer
from spotui.tui.key_screens import KeyMapScreen, KeysScreen, PressScreen
from spotui.tui.method_screen import MethodChoice, MethodLine, MethodScreen
from spotui.tui.model_tables import RoleScreen
from spotui.tui.models_screen import ModelsScreen
from spotui.tui.new_run import NewRunScreen
from spotui.tui.race.new import NewRaceScreen
from spotui.tui.race.screen import RaceScreen
from spotui.tui.relabelling import Relabelled
from spotui.tui.run.asking import CandidateScreen, LimitsScreen
from spotui.tui.run.diff_panel import DiffPanel
from spotui.tui.run.hint_screen import HintScreen
from spotui.tui.run.lineage_panel import LineagePanel
from spotui.tui.run.log_panel import LogPanel, LogView
from spotui.tui.run.panel_grid import PanelGrid
from spotui.tui.run.progress_panel import ProgressPanel
from spotui.tui.run.questions_panel import GridView
from spotui.tui.run.screen import RunScreen
from spotui.tui.scores_screen import ScoresScreen
from spotui.tui.settings_screen import DefaultForm, SettingsScreen
from spotui.tui.table_view import TableView
from spotui.tui.template.row_drafts import EditDraftScreen
from spotui.tui.template.rows_screen import NewRowsScreen
from spotui.tui.template.screen import TemplateScreen
from spotui.tui.tour import TourScreen
from spotui.tui.try_screen import TryScreen
from spotui.workspace.moving import Archived
from spotui.workspace.projects import Workspace
from tests.command_line import TEMPLATE, move_in
from tests.journeys.inspection import english_in
from tests.tui import scenes, scored_projects
from tests.tui.piloting import drive, seen, until, until_seen
from tests.tui.projects import finished

HUGE = (200, 60)
_LOOKS, _LOOK_SECONDS = 100, 0.05
_WORDS = (
    "product name sums beams race gpo gradsum spo why yaml test model spotui workspace config templates data "
    "keys gpt mini shop tour Qwen qwen coder b embedded local zero shot MY API KEY en zh CN "
    "del pgup pgdn shift super end c h j l w x z yes no"
)
"""Of names: of projects, files, models, methods, metrics and keys."""
_OURS = {"note", "cause", "headline", "why", "skipped"}
_MORE_DATA = "Add the numbers. numbers step by step, and write the sum last.\nAll rounds are done."
"""Two prompts as one text in the diff, and the cause of a stop that only a test has."""


@pytest.fixture(autouse=True)
def english_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    move_in(monkeypatch, tmp_path)
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.chdir(tmp_path)
    lang.use()
    yield
    lang.use()


def test_home_a_run_and_the_settings_change_at_once_and_back(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "data" / "workspace")
    finished(workspace, "sea")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.open_project("sea")
        await until_seen(pilot, "finished", "Stopped: finished")
        await pilot.press("ctrl+p")
        await until_seen(pilot, "Quit spotui")
        await pilot.press("f10")  # takes the place of the palette
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        field = app.screen.query_one("#default-language Input", Input)
        field.focus()
        field.value = "zh_CN"
        await pilot.press("enter")
        await until_seen(pilot, "设置")
        await until(pilot, lambda: app.focused is app.screen.query_one("#default-language Input", Input))
        await pilot.press("escape")
        await until_seen(pilot, "已完成", "已停止：", "轮次")
        await pilot.press("escape")
        await until_seen(pilot, "项目", "模板", "weekly-report")
        assert saved_language() == "zh_CN"
        await pilot.press("ctrl+p")
        await pilot.press(*"English")
        await until_seen(pilot, "全部用English显示")
        await pilot.press("enter")
        await until_seen(pilot, "Projects", "Templates", "finished")
        assert saved_language() == "en"

    drive(tmp_path, journey, workspace=workspace)


def test_what_was_typed_chosen_unfolded_and_scrolled_stays_where_it_was(tmp_path: Path) -> None:
    workspace = scenes.recorded_workspace(tmp_path)
    for number in range(60):
        (tmp_path / "files" / f"folder-{number:02}").mkdir(parents=True)
    (tmp_path / "files" / "folder-40" / "rows.jsonl").write_text("{}")
    text = "\n".join(f"line {number}" for number in range(60))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async def change(look: Callable[[], tuple[object, ...]]) -> None:
            """Change the language, and wait until all is as it was."""
            await pilot.pause()
            before = look()
            language = "en" if current_language() == "zh_CN" else "zh_CN"
            await app.use_language(language)
            for _look in range(_LOOKS):
                await pilot.pause()
                with suppress(NoMatches):  # while the screen is made again
                    if current_language() == language and look() == before:
                        return
                await asyncio.sleep(_LOOK_SECONDS)
            assert look() == before

        def of_run() -> tuple[object, ...]:
            assert isinstance(run, RunScreen)
            log, tree, grid = run.query_one(LogView), run.query_one(LineagePanel), run.query_one(GridView)
            table, diff = tree.query_one(TableView), run.query_one(DiffPanel)
            return (
                *(log.reading, run.query_one(LogPanel).choice, table.current, table.keys),
                *(grid.current, grid.filter, diff.has_marks, run.query_one(PanelGrid).shares),
                *(run.chosen_round, type(run.focused), run.query_one(ProgressPanel).shown_chart),
            )

        app.open_project(scenes.PROJECT)
        await until_seen(pilot, "finished", "Stopped: finished")
        run = app.screen
        keys = "[ [ 6 u 3 w 8 c down 7 f up left greater_than_sign plus 2 c"
        for key in keys.split():
            await pilot.press(key.replace("[", "left_square_bracket"))
            await pilot.pause()
        run.query_one(LogView).scroll_to_block(6)
        await change(of_run)
        assert run.query_one(LogView).reading == (6, 0)
        assert run.query_one(LogPanel).choice.folded

        def of_settings() -> tuple[object, ...]:
            form, focused = app.screen.query_one(DefaultForm), app.focused
            field = app.screen.query_one("#default-roles-evaluator-model Input", Input)
            return form.scroll_offset, focused and focused.parent and focused.parent.id, field.value

        before = of_run()
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await pilot.pause()
        app.screen.query_one("#default-roles-evaluator-model Input", Input).focus()
        await pilot.press(*"mine")
        await pilot.pause()
        app.screen.query_one(DefaultForm).scroll_relative(y=3, animate=False)
        await change(of_settings)
        assert of_settings()[1:] == ("default-roles-evaluator-model", "mine")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is run and of_run() == before)

        def of_text() -> tuple[object, ...]:
            area = app.screen.query_one("#prompt", TextArea)
            return area.text, area.selection, area.scroll_offset, app.focused is area

        await app.push_screen(NewTemplateScreen(locations.templates_dir()))
        area = app.screen.query_one("#prompt", TextArea)
        area.text = text
        area.selection = Selection((38, 1), (40, 3))
        await pilot.pause()
        area.scroll_relative(y=2, animate=False)
        await change(of_text)
        app.pop_screen()

        def of_files() -> tuple[object, ...]:
            tree = app.screen.query_one(DirectoryTree)
            node = tree.cursor_node
            return node and node.data and node.data.path, tree.scroll_offset, tree.last_line

        await app.push_screen(ImportScreen(tmp_path / "files"))
        tree = app.screen.query_one(DirectoryTree)
        await until(pilot, lambda: len(tree.root.children) == 60)
        tree.root.children[40].expand()
        await until(pilot, lambda: tree.root.children[40].children)
        tree.move_cursor(tree.root.children[40].children[0])
        await change(of_files)
        assert of_files()[0] == tmp_path / "files" / "folder-40" / "rows.jsonl"

    drive(tmp_path, journey, (120, 40), workspace=workspace)


class Stop(NamedTuple):
    """A screen on the way through all of them.

    Attributes:
        make: Makes it.
        shows: What tells that it is there, in English.
        prepare: Types and chooses something on it.
        check: Whether that is still there.
    """

    make: Callable[[], Screen[Any]]
    shows: str
    prepare: Callable[[SpotuiApp, Pilot[None]], Awaitable[None]] | None = None
    check: Callable[[SpotuiApp], bool] = lambda _app: True


def test_every_screen_follows_whole(tmp_path: Path) -> None:
    workspace = scenes.recorded_workspace(tmp_path)
    scored_projects.gpo(workspace)
    race = scored_projects.race(workspace)
    path = locations.templates_dir() / "why.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(TEMPLATE)
    complaints: dict[str, tuple[list[str], bool, str]] = {}
    visited: set[type[Screen[Any]]] = set()

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        data = "\n".join([_data(workspace.root), _data(tour_dir()), TEMPLATE, DEFAULT_MODEL, _MORE_DATA])
        paths = re.findall("[A-Za-z]+", str(locations.keys_file()))
        # A path that is wrapped is broken anywhere.
        pieces = {part for word in paths for at in range(len(word)) for part in (word[:at], word[at:])}
        names = {*_WORDS.split(), *re.findall("[A-Za-z]+", " ".join(theme_names())), *pieces}
        names |= {part for name in _binding_names() for part in re.findall("[A-Za-z]+", name)}

        async def change(shows: str, check: Callable[[SpotuiApp], bool] = lambda _app: True) -> None:
            """Show the screen in Chinese, look at it, and open the next one in English."""
            screen = app.screen
            await until_seen(pilot, shows)
            await app.use_language("zh_CN")
            await until(pilot, lambda: current_language() == "zh_CN")
            for _look in range(_LOOKS):
                await pilot.pause()
                found = [*english_in(seen(app), data, names)]
                if not found and shows not in seen(app) and check(app):
                    break
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                complaints[type(screen).__name__] = (found, check(app), seen(app))
            assert app.screen is screen
            visited.add(type(screen))
            save(LANGUAGE.key, "en")
            lang.use("en")

        await until_seen(pilot, scenes.PROJECT, "interrupted")
        await change("interrupted")
        for stop in _stops(workspace, path):
            await app.push_screen(stop.make())
            await until_seen(pilot, stop.shows)
            if stop.prepare is not None:
                await stop.prepare(app, pilot)
            await change(stop.shows, stop.check)
            app.pop_screen()
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))

        for name, panels, of_round in (
            (scenes.PROJECT, "1678", ((AnswersScreen, "the best"), (TryScreen, "Not asked yet."))),
            ("sums", "39", ((ScoresScreen, "Shown to the optimizer"),)),
        ):
            run = RunScreen(workspace.project(name))
            await app.push_screen(run)
            await until_seen(pilot, "finished", "win")
            await pilot.press(*panels, "left_square_bracket")
            shown = run.chosen_round, run.query_one(PanelGrid).recent
            await change("finished", partial(_shows, run, *shown))
            for kind, shows in of_round:
                await app.push_screen(kind(run._project, run._client))
                await change(shows)
                app.pop_screen()
            app.pop_screen()
            await until(pilot, lambda: isinstance(app.screen, HomeScreen))

        raced = RaceScreen(race)
        await app.push_screen(raced)
        await until_seen(pilot, "Row by row")
        await pilot.press("c")
        await change("The difference is")
        app.pop_screen()
        await app.push_screen(RaceScreen(race))
        await change("Row by row")

    drive(tmp_path, journey, HUGE, workspace=workspace)
    for module in pkgutil.walk_packages(spotui.tui.__path__, "spotui.tui."):
        importlib.import_module(module.name)
    assert {one.__name__ for one in _kinds(Relabelled)} - {one.__name__ for one in visited} == set()
    assert not complaints, "\n\n".join(
        f"{name}: {found}, kept: {kept}\n{look}" for name, (found, kept, look) in complaints.items()
    )


def _stops(workspace: Workspace, path: Path) -> Iterator[Stop]:
    """Every screen that is no part of a run or a race."""

    async def type_in(field: str, text: str, app: SpotuiApp, pilot: Pilot[None]) -> None:
        box = app.screen.query_one(field)
        if isinstance(box, Input):
            box.value = text
        elif isinstance(box, TextArea):
            box.text = text
        await pilot.pause()

    def holds(field: str, text: str) -> Callable[[SpotuiApp], bool]:
        def check(app: SpotuiApp) -> bool:
            box = app.screen.query_one(field)
            return (box.value if isinstance(box, Input) else getattr(box, "text", "")) == text

        return check

    async def choose_method(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.screen.query_one(MethodLine).choose(MethodChoice("ape"))
        await type_in("#calls", "700", app, pilot)

    async def open_form(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+t")
        await until_seen(pilot, "Word limit of the prompt")
        await type_in("#requirements", "2 + 2 = 4", app, pilot)

    def is_kept(app: SpotuiApp) -> bool:
        return app.screen.query_one(MethodLine).chosen.method == "ape" and holds("#calls", "700")(app)

    offer = Offer(
        *("majority", ("test-model",), True, 30, None, 60.0, (), ()), None
    )  # what a check on the template would take
    template = str(path)
    yield Stop(WelcomeScreen, "A template")
    yield Stop(TourScreen, "Round 1")
    yield Stop(
        partial(NewTemplateScreen, locations.templates_dir()),
        "Paste the prompt",
        partial(type_in, "#prompt", "2 + 2 = ?"),
        holds("#prompt", "2 + 2 = ?"),
    )
    yield Stop(partial(ImportScreen, path.parent), "recognized")
    yield Stop(partial(TemplateScreen, path), "Template")
    yield Stop(partial(TemplateScreen, path), "tokens", open_form, holds("#requirements", "2 + 2 = 4"))
    yield Stop(partial(NewRowsScreen, workspace, path), "How many", partial(type_in, "#count", "12"))
    yield Stop(partial(EditDraftScreen, Draft("2 + 2 = ?", "4")), "Edit the row")
    yield Stop(partial(NewRunScreen, workspace, path), "Expected:", choose_method, is_kept)
    yield Stop(
        partial(NewRaceScreen, workspace, path),
        "Expected, one after",
        partial(type_in, "#calls", "700"),
        holds("#calls", "700"),
    )
    yield Stop(partial(MethodScreen, MethodChoice("gpo")), "gpo: It scores")
    yield Stop(partial(HeadroomScreen, template, ["--model", "test-model"]), "It takes about")
    yield Stop(partial(JudgeCheckScreen, template, ["--model", "test-model"], offer), "It takes about")
    yield Stop(ModelsScreen, "Judge:")
    yield Stop(partial(RoleScreen, "optimizer", ()), "saved when")
    yield Stop(
        partial(EndpointScreen, Endpoint()),
        "A new model",
        partial(type_in, "#concurrency", "7"),
        holds("#concurrency", "7"),
    )
    yield Stop(SettingsScreen, "Defaults")
    yield Stop(partial(KeyMapScreen, {}), "what it does")
    yield Stop(partial(PressScreen, _("{group}: {action}", group=_("Keys"), action=_("back"))), "new key")
    yield Stop(
        partial(LimitsScreen, _("Limits of {project}", project="sums"), {"rounds": 3}),
        "Rounds in all",
        partial(type_in, "#calls", "700"),
        holds("#calls", "700"),
    )
    yield Stop(partial(CandidateScreen, 2, "2 + 2 = ?", "2 > 1"), "Candidate of round")
    yield Stop(partial(HintScreen, "1, 2, 3"), "Hint to the optimizer")
    yield Stop(
        partial(NameScreen, _("Rename {name}", name="sums"), "sums", lambda _name: None, N_("File")), "Rename"
    )
    yield Stop(
        partial(
            QuestionScreen,
            _("Stop {name}?", name=_("round {number}", number=3)),
            (Choice("yes", "y", _("stop")), Choice("no", "n", N_("do not run it"))),
            _("The best prompt is kept, and you can resume later."),
        ),
        "Stop round 3?",
    )
    archived = Archived("sums", datetime(2026, 1, 2, tzinfo=UTC), path.parent)
    yield Stop(partial(ArchiveScreen, [archived]), "Trash")
    yield Stop(_keys_of_home, "This panel")


def _shows(run: RunScreen, number: int, panels: tuple[int, ...], _app: SpotuiApp) -> bool:
    return run.chosen_round == number and run.query_one(PanelGrid).recent == panels


def _keys_of_home() -> Screen[Any]:
    from textual._context import active_app

    from spotui.tui.key_screens import sections_of

    return KeysScreen(sections_of(active_app.get().screen, {}))


def _binding_names() -> Iterator[str]:
    """The names of bindings, which the file of a user's own keys has."""
    for kind in widget_types():
        yield from (one.id for one in own_bindings(kind) if one.id)


def _data(root: Path) -> str:
    """What prompts, questions, answers and models say, which nobody translates."""
    texts = [
        text for file in [*root.rglob("*.json*"), *root.rglob("*.yaml")] for text in _texts_of(_read(file))
    ]
    return "\n".join(" ".join(text.split()) for text in texts)


def _read(file: Path) -> object:
    text = file.read_text("utf-8")
    match file.suffix:
        case ".jsonl":
            return [json.loads(line) for line in text.splitlines()]
        case ".json":
            return json.loads(text)
        case _:
            return text


def _texts_of(value: object) -> Iterator[str]:
    """Every text but those that spotui itself has written down in English."""
    match value:
        case {"voter": "likelihood"}:
            pass
        case dict():
            for key, inner in value.items():
                yield from _texts_of(inner) if key not in _OURS else ()
        case list():
            for inner in value:
                yield from _texts_of(inner)
        case str():
            yield value


def _kinds(kind: type[Screen[Any]]) -> Iterator[type[Screen[Any]]]:
    """The screens that are opened: those that no other is a kind of, and the run, which has the tour."""
    for one in kind.__subclasses__():
        if not one.__subclasses__() or one is RunScreen:
            yield one
        yield from _kinds(one)
