"""Screens that always show the same: for snapshots, and for the pictures of the README."""

import shutil
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from spotui.tui.app import SpotuiApp
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.method_screen import MethodLine
from spotui.workspace.projects import Workspace
from tests.cli.test_rows import author
from tests.model_server import ModelServer
from tests.tui.piloting import seen, until, until_seen

Scene = Callable[[SpotuiApp, Pilot[None]], Awaitable[None]]

PROJECT = "product-name"
RECORDING = Path(__file__).parents[1] / "recordings" / PROJECT
"""A run on the embedded model."""
PROMPTFOO = """\
prompts: ["Answer the customer of our shop in one sentence: {{message}}"]
providers: [echo]
tests:
  - {vars: {message: Where is my order?}, assert: [{type: icontains, value: tracking}]}
  - {vars: {message: I want my money back.}, assert: [{type: icontains, value: return}]}
  - {vars: {message: Do you ship?}, assert: [{type: icontains, value: yes}, {type: cost, threshold: 1}]}
"""
QUESTIONS = """\
1. Where is my order 4711? => Asks to wait for the tracking number.
2. I want my money back. => Names the return form.
3. Do you ship to Norway?
4. The blue one is broken.
5. Can I pay by invoice?
"""
TODAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Clock(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: object = None) -> "datetime":  # type: ignore[override]
        """The same moment every time."""
        del tz
        return TODAY


def recorded_workspace(folder: Path) -> Workspace:
    """A workspace with the run that ships with spotui, and one that was broken off."""
    root = folder / "workspace"
    for name in (PROJECT, "product-name-2"):
        shutil.copytree(RECORDING, root / name)
    lines = (root / "product-name-2" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (root / "product-name-2" / "journal.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]))
    return Workspace(root)


def settle_in(patch: pytest.MonkeyPatch) -> None:
    """Let no screen tell another time or place than those of the pictures."""
    patch.setenv("HOME", str(Path.cwd()))
    patch.setenv("TZ", "UTC")
    time.tzset()
    patch.setattr("spotui.tui.home.projects_panel.datetime", Clock)


async def home(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The projects and templates."""
    await until_seen(pilot, PROJECT, "interrupted", "chinese-idioms")


async def run(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A run that has finished, with a round selected that won."""
    await home(app, pilot)
    app.open_project(PROJECT)
    await until_seen(pilot, "finished", "Stopped")
    await pilot.press("left_square_bracket", "left_square_bracket")
    await pilot.pause()


async def rounds(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The history of the rounds, which a small screen shows alone."""
    await run(app, pilot)
    await pilot.press("4")
    await until_seen(pilot, "verdict")


async def diff(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What the best has that the seed has not, side by side, on the whole screen."""
    await run(app, pilot)
    await pilot.press("3", "d", "v", "z")
    await until_seen(pilot, "Give this product a name.  ")


async def answers(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The answers of a round beside those it had to beat."""
    await run(app, pilot)
    await pilot.press("a")
    await until_seen(pilot, "against")


async def template(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A template of one's own, as a form."""
    await home(app, pilot)
    await pilot.press("tab")
    app.screen.query_one(TemplatesPanel).select_named(PROJECT)
    await pilot.press("d")
    await until_seen(pilot, "yours")
    await pilot.press("e")
    await until_seen(pilot, "prompt:", "tokens")
    await until(pilot, lambda: "~" not in seen(app).replace("~/", ""))


async def new_rows(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Rows that a model has written, of which one is kept and one dropped."""
    await template(app, pilot)
    with ModelServer(author) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-the-key")
        patch.setenv("OPENAI_BASE_URL", server.base_url)
        patch.setenv("SPOTUI_OPT_MODEL", "test-model")
        await pilot.press("ctrl+r")
        await until_seen(pilot, "about 1 call")
        await pilot.press("enter")
        await until_seen(pilot, "Row 1, synthetic", "Enter asks")
        await pilot.press("enter", "d")
        await until_seen(pilot, "1 kept, 1 dropped, 1 near-duplicate left out")


async def importing(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A promptfoo config before it is imported: its preview, and what has no place in a template."""
    folder = Path("shop")
    folder.mkdir()
    (folder / "promptfooconfig.yaml").write_text(PROMPTFOO)
    (folder / "notes.txt").write_text("nothing known")
    await home(app, pilot)
    await pilot.press("i")
    await until_seen(pilot, "published data set", "shop")
    app.screen.query_one("#path", Input).value = "shop"
    await until_seen(pilot, "cost")


async def new_template(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A template of what was pasted, at the step of its questions."""
    await home(app, pilot)
    await pilot.press("tab", "n")
    await until_seen(pilot, "Paste the prompt")
    app.screen.query_one("#prompt", TextArea).text = "Answer the customer in one sentence."
    await pilot.press("ctrl+s")
    app.screen.query_one("#questions", TextArea).text = QUESTIONS
    await until_seen(pilot, "5 questions, 2 with an answer")


async def filtered(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Templates that contain a word."""
    await home(app, pilot)
    await pilot.press("tab", "slash", *"number")
    await until_seen(pilot, "of 11 rows")


async def new_run(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What a run would take, before it is started."""
    await home(app, pilot)
    await pilot.press("tab", "enter")
    await until_seen(pilot, "Expected:", "Judge:")


async def trying(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Where prompts are tried on a question of the moment."""
    await run(app, pilot)
    await pilot.press("t")
    await until_seen(pilot, "question")


async def models(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The three roles, and the models they can have."""
    await home(app, pilot)
    await pilot.press("m")
    await until_seen(pilot, "optimizer", "Judge:")


async def settings(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Themes, defaults and budget."""
    await home(app, pilot)
    await pilot.press("comma")
    await until_seen(pilot, "theme")


async def keys(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What every key does on the screen of a run."""
    await run(app, pilot)
    await pilot.press("question_mark")
    await until_seen(pilot, "run.go_on")


async def method(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Every method, and what the one under the cursor can be told."""
    await new_run(app, pilot)
    app.screen.query_one(MethodLine).focus()
    await pilot.press("enter")
    await until_seen(pilot, "gradsum")
    await pilot.press("home", *["down"] * 8, "enter", "down")
    await until_seen(pilot, "gpo: It scores")
