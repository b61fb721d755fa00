"""A template from opening to saving, as YAML and as a form."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.runs.check import check
from spotui.templates.model import QA, Template
from spotui.templates.read import parse_template
from spotui.tui.app import SpotuiApp
from spotui.tui.template.editor import Field, YamlEditor
from spotui.tui.template.form import RowList, TemplateForm
from spotui.tui.template.panel import TemplatePanel
from spotui.tui.template.screen import TemplateScreen
from tests.command_line import TEMPLATE, move_in, places
from tests.terminal import Terminal
from tests.tui.piloting import SMALL, drive, seen, until, until_seen, workspace_in

COMMENTED = "# mine\n" + TEMPLATE.replace("count: None", "count: 50  # words\nours: kept")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A template with comments, a count, and a key that spotui does not know."""
    move_in(monkeypatch, tmp_path)
    path = tmp_path / "why.yaml"
    path.write_text(COMMENTED)
    return path


async def opened(app: SpotuiApp, pilot: Pilot[None], path: Path) -> TemplateScreen:
    screen = TemplateScreen(path)
    app.push_screen(screen)
    await until(pilot, lambda: screen.is_mounted and screen.query_one(TemplatePanel).checked is not None)
    return screen


async def form_of(pilot: Pilot[None], screen: TemplateScreen) -> Callable[[str], Field]:
    await pilot.press("ctrl+t")
    await until(pilot, lambda: bool(screen.query(Field)) and screen.query_one("#prompt", Field).has_focus)
    return lambda name: screen.query_one(f"#{name}", Field)


def text_of(screen: TemplateScreen) -> str:
    return screen.query_one(TemplatePanel).text


def prompt_of(screen: TemplateScreen) -> str | None:
    template = check(text_of(screen)).template
    return template.prompt if template else None


def test_what_is_typed_is_saved_and_nothing_else_changes(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        assert "prompt: Answer the question." in seen(app)
        await pilot.press("down", "end", "H", "i")
        await until_seen(pilot, "not saved")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not screen.is_changed)
        assert path.read_text() == COMMENTED.replace("the question.", "the question.Hi")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not screen)

    drive(path.parent, journey, SMALL)


def test_a_mistake_is_marked_with_its_hint_while_it_is_typed(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        screen.query_one(YamlEditor).move_cursor((3, 7))
        await pilot.press("m", "a", "n", "y")
        await until_seen(pilot, "Error Line 4: `count`", "`count: 50`")
        marked = screen.query_one(YamlEditor).get_line(3).spans[-1].style
        assert getattr(marked, "underline", False)
        screen.query_one(YamlEditor).move_cursor((0, 0))
        await pilot.press("f8")
        assert screen.query_one(YamlEditor).cursor_location[0] == 3
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "Error" not in seen(app))

    drive(path.parent, journey, SMALL)


def test_the_form_edits_the_same_text_and_keeps_comments_keys_and_count(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        field = await form_of(pilot, screen)
        assert screen.query_one("#count", Input).value == "50"
        field("prompt").move_cursor((0, 0))
        await pilot.press("N", "o", "w", ":", "space")
        await until(pilot, lambda: "prompt: 'Now: Answer" in text_of(screen))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Now: " in path.read_text() and not screen.is_changed)
        saved = path.read_text()
        assert saved == COMMENTED.replace(
            "prompt: Answer the question.", "prompt: 'Now: Answer the question.'"
        )

    drive(path.parent, journey, SMALL)


def test_the_form_edits_data_split_and_metric(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await form_of(pilot, screen)
        for field, text in (("data", "rows.jsonl"), ("split", "train 2, eval 3"), ("metric", "number")):
            typed = screen.query_one(f"#{field}", Input)
            typed.focus()
            await pilot.press(*text)
            await pilot.pause()
            assert typed.value == text
        await until(pilot, lambda: "metric: number" in text_of(screen))
        template = parse_template(text_of(screen))
        assert template.data == {"path": "rows.jsonl", "split": {"train": 2, "eval": 3}}
        assert template.metric == "number"
        screen.query_one("#split", Input).value = ""
        screen.query_one("#metric", Input).value = ""
        await until(pilot, lambda: "metric" not in text_of(screen))
        template = parse_template(text_of(screen))
        assert (template.data, template.metric) == ("rows.jsonl", None)
        screen.query_one("#data", Input).value = ""
        await until(pilot, lambda: text_of(screen) == COMMENTED)

    drive(path.parent, journey, SMALL)


def test_the_form_leaves_alone_what_only_the_yaml_can_say_of_data(path: Path) -> None:
    data = "data:  # ours\n  path: a.csv  # big\n  columns: {question: q}\n  split: {train: 2}\n"
    path.write_text(COMMENTED + data + "metric: {name: number, tolerance: 0.1}\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        field = await form_of(pilot, screen)
        assert screen.query_one("#metric", Input).disabled
        assert screen.query_one("#split", Input).value == "train 2"
        screen.query_one("#data", Input).value = "b.csv"
        await until(pilot, lambda: "path: b.csv  # big" in text_of(screen))
        field("prompt").focus()
        await pilot.press("ctrl+end", "x")
        await until(pilot, lambda: "question.x" in text_of(screen))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not screen.is_changed)
        kept = COMMENTED.replace("the question.", "the question.x") + data.replace("a.csv", "b.csv")
        assert path.read_text() == kept + "metric: {name: number, tolerance: 0.1}\n"

    drive(path.parent, journey, SMALL)


def test_questions_are_added_moved_and_removed_with_what_belongs_to_them(path: Path) -> None:
    text = COMMENTED.replace("  - question: Why do", "  # on trees\n  - question: Why do")
    path.write_text(text)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        field = await form_of(pilot, screen)
        rows = screen.query_one(RowList)
        rows.focus()
        await pilot.press("down", "K")
        await until(pilot, lambda: text_of(screen).index("Why do") < text_of(screen).index("Why is"))
        assert "  # on trees\n  - question: Why do leaves fall?\n" in text_of(screen)
        await pilot.press("down", "down", "x")
        await until(pilot, lambda: "ice" not in text_of(screen))
        await pilot.press("n")
        await until(pilot, lambda: field("question").has_focus)
        await pilot.press("W", "h", "o", "?", "tab", "M", "e")
        await until(pilot, lambda: "answer: Me" in text_of(screen))
        template = parse_template(text_of(screen))
        assert [row.question for row in template.qa] == [
            "Why do leaves fall?",
            "Why is the sky blue?",
            "Who?",
        ]
        assert template.qa[-1] == QA("Who?", "Me")
        assert "ours: kept" in text_of(screen)

    drive(path.parent, journey)


def test_one_undo_undoes_what_the_form_did_and_what_was_typed_below_it(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await pilot.press("#")
        field = await form_of(pilot, screen)
        rows = screen.query_one(RowList)
        rows.focus()
        await pilot.press("x")
        await until(pilot, lambda: "sky" not in text_of(screen))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "sky" in text_of(screen) and rows.option_count == 3)
        await until(pilot, lambda: "sky" in field("question").text)
        field("prompt").focus()
        await pilot.press("ctrl+z")
        await until(pilot, lambda: text_of(screen) == COMMENTED)
        await until(pilot, lambda: not screen.is_changed)

    drive(path.parent, journey)


def test_emptying_a_field_is_a_mistake_that_is_told_and_can_be_saved(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await form_of(pilot, screen)
        await pilot.press("f7", "backspace")
        await until_seen(pilot, "The prompt is empty.")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "prompt: None" in path.read_text())
        assert parse_template(path.read_text().replace("prompt: None", "prompt: x")).count == 50

    drive(path.parent, journey)


def test_the_word_none_can_be_typed_in_a_prompt(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        field = await form_of(pilot, screen)
        was = parse_template(text_of(screen))
        await pilot.press("f7", *"None")
        await until_seen(pilot, "The prompt is empty.")
        assert field("prompt").text == "None"
        await pilot.press("space", *"of", "space", *"it")
        await until(pilot, lambda: check(text_of(screen)).template == replace(was, prompt="None of it"))
        assert field("prompt").text == "None of it"

    drive(path.parent, journey)


def test_an_edit_that_yaml_cannot_hold_opens_the_yaml_with_the_text(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        field = await form_of(pilot, screen)
        field("requirements").insert("Be \ud800 kind.")
        panel = screen.query_one(TemplatePanel)
        await until(pilot, lambda: not panel.is_form and screen.query_one(YamlEditor).has_focus)
        assert "\\ud800 kind." in text_of(screen)
        assert "ours: kept" in text_of(screen)
        await until_seen(pilot, "Error Line 3")
        await pilot.press("ctrl+z")
        await until(pilot, lambda: text_of(screen) == COMMENTED)

    drive(path.parent, journey)


@pytest.mark.parametrize("style", ["|", ">-", "|+2"])
def test_a_writer_may_pause_after_a_space_at_the_end_of_a_block(path: Path, style: str) -> None:
    path.write_text(COMMENTED.replace("prompt: Answer the question.", f"prompt: {style}\n  Answer it.\n"))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        field = await form_of(pilot, screen)
        await pilot.press("ctrl+end")
        typed = field("prompt").value
        for word in ("In ", "one \n", " ", "line.", "\n\n", "\t# ", "x: "):
            field("prompt").insert(word)
            typed += word
            await until(pilot, lambda: prompt_of(screen) == typed)  # noqa: B023 - awaited at once
        assert screen.query_one(TemplatePanel).is_form

    drive(path.parent, journey)


def test_broken_yaml_has_no_form(path: Path) -> None:
    path.write_text("prompt: [a\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await pilot.press("ctrl+t")
        await until_seen(pilot, "The form needs YAML that can be read.")
        assert not screen.query_one(TemplatePanel).is_form

    drive(path.parent, journey)


def test_questions_that_cannot_be_read_are_not_lost_by_the_form(path: Path) -> None:
    path.write_text(COMMENTED + "  - just a text\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await form_of(pilot, screen)
        await until_seen(pilot, "Some questions cannot be read.")
        await pilot.press("ctrl+n", "X")
        await until(
            pilot, lambda: "prompt: X" in text_of(screen) or "Answer the question.X" in text_of(screen)
        )
        assert text_of(screen).endswith("  - just a text\n")

    drive(path.parent, journey)


@pytest.mark.parametrize(
    "text", ["prompt: a\r\nqa: []\ncount: 3\r\n", "prompt: a\u2028b\n", "prompt: a\x85b\n"], ids=ascii
)
def test_a_file_that_would_come_out_as_another_can_only_be_read(path: Path, text: str) -> None:
    path.write_bytes(text.encode())

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await until_seen(pilot, "read only")
        await pilot.press("X", "ctrl+s", "escape")
        await until(pilot, lambda: app.screen is not screen)
        assert path.read_bytes() == text.encode()

    drive(path.parent, journey)


@pytest.mark.parametrize("text", ["\ufeff" + TEMPLATE.replace("\n", "\r\n"), TEMPLATE.rstrip()])
def test_line_ends_and_byte_order_mark_stay(path: Path, text: str) -> None:
    path.write_bytes(text.encode())

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await form_of(pilot, screen)
        await pilot.press("end", "!")
        await until(pilot, lambda: "question.!" in text_of(screen))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: b"question.!" in path.read_bytes())
        assert path.read_bytes().decode() == text.replace("question.", "question.!", 1)

    drive(path.parent, journey)


def test_leaving_asks_when_something_is_not_saved(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await pilot.press("#", "escape")
        await until_seen(pilot, "why.yaml is not saved")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("escape")
        await until_seen(pilot, "why.yaml is not saved")
        await pilot.press("d")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert path.read_text() == COMMENTED

    drive(path.parent, journey)


def test_leaving_right_after_typing_in_the_form_asks_too(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await form_of(pilot, screen)
        await pilot.press("X", "escape")
        await until_seen(pilot, "why.yaml is not saved")
        await pilot.press("s")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert "X" in path.read_text().split("requirements")[0]

    drive(path.parent, journey)


@pytest.mark.parametrize(("key", "kept"), [("m", "mine"), ("f", "theirs")])
def test_a_file_that_somebody_else_changed_is_not_overwritten_without_asking(
    path: Path, key: str, kept: str
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await pilot.press("#")
        path.write_text(TEMPLATE)
        await pilot.press("ctrl+s")
        await until_seen(pilot, "has changed on disk")
        assert path.read_text() == TEMPLATE
        await pilot.press(key)
        wanted = "#" + COMMENTED if kept == "mine" else TEMPLATE
        await until(pilot, lambda: path.read_text() == text_of(screen) == wanted and not screen.is_changed)

    drive(path.parent, journey)


def test_a_template_that_is_not_there_yet_is_made_when_it_is_saved(path: Path) -> None:
    new = path.parent / "own" / "new.yaml"

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, new)
        await until_seen(pilot, "The template is empty.")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: bool(screen.query(Field)) and screen.query_one("#prompt").has_focus)
        await pilot.press(*"Say it.", "ctrl+n")
        await until(pilot, lambda: screen.query_one("#question", Field).has_focus)
        form = screen.query_one(TemplateForm)
        await until(pilot, lambda: form.region.contains_region(screen.query_one("#question").region))
        await pilot.press(*"What?")
        await until(pilot, lambda: "What?" in text_of(screen))
        await pilot.press("ctrl+s")
        await until(pilot, new.exists)
        assert parse_template(new.read_text()) == Template(prompt="Say it.", qa=(QA("What?"),))

    drive(path.parent, journey, (80, 24))


def test_tokens_are_estimated_while_typing_and_counted_when_saved(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        field = await form_of(pilot, screen)
        prompt = field("prompt")
        await until(pilot, lambda: prompt.border_subtitle == "3 of 50 words, 4 tokens")
        await pilot.press("end", *" Now")
        await until(pilot, lambda: str(prompt.border_subtitle).startswith("4 of 50 words, ~"))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: prompt.border_subtitle == "4 of 50 words, 5 tokens")

    drive(path.parent, journey)


def test_a_new_line_begins_below_its_key_and_tab_leaves_the_text(path: Path) -> None:
    path.write_text("prompt: |")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, path)
        await pilot.press("end", "enter", "a", "enter", "b")
        assert text_of(screen) == "prompt: |\n  a\n  b"

    drive(path.parent, journey)


def test_a_shipped_template_can_only_be_read(path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = TemplateScreen(path, is_fixed=True)
        app.push_screen(screen)
        await until_seen(pilot, "read only", "prompt: Answer")
        await pilot.press("X", "ctrl+t", "ctrl+s")
        assert text_of(screen) == COMMENTED
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not screen)

    drive(path.parent, journey)


APP = """
from pathlib import Path
from spotui.tui.app import SpotuiApp
from spotui.tui.template.screen import TemplateScreen
from spotui.workspace.projects import Workspace
app = SpotuiApp(Workspace(Path({root!r})))
app.call_later(app.push_screen, TemplateScreen(Path({path!r})))
app.run()
"""


def terminal_on(path: Path, editor: str) -> Terminal:
    code = APP.format(root=str(workspace_in(path.parent)), path=str(path))
    environ = places(path.parent, EDITOR=editor, VISUAL="")
    for name in ("COLUMNS", "LINES"):  # what runs the tests sets them, a terminal does not
        environ.pop(name, None)
    gone = dict.fromkeys(set(os.environ) - set(environ))
    return Terminal([sys.executable, "-c", code], environ={**gone, **environ})


def test_the_user_s_own_editor_gets_the_terminal_and_gives_it_back(path: Path) -> None:
    editor = path.parent / "editor.sh"
    editor.write_text(
        '#!/bin/sh\nprintf "editing, press enter "\nread answer\nsed -i "s/Answer/Explain/" "$1"\n'
    )
    editor.chmod(0o755)
    with terminal_on(path, str(editor)) as terminal:
        terminal.wait_for("prompt: Answer the question.")
        terminal.press("ctrl+o")
        terminal.wait_for("editing, press enter")
        terminal.press("enter")
        terminal.wait_for("prompt: Explain the question.", "not saved")
        terminal.press("ctrl+s")
        terminal.wait_gone("not saved")
        assert path.read_text() == COMMENTED.replace("Answer", "Explain")
        terminal.press("ctrl+z")
        terminal.wait_for("prompt: Answer the question.")
        terminal.press("ctrl+q")
        terminal.wait_for("Quit without saving?")
        terminal.press("y")
        assert terminal.wait_exit() == 0


def test_an_editor_that_fails_changes_nothing(path: Path) -> None:
    editor = path.parent / "editor.sh"
    editor.write_text('#!/bin/sh\nrm "$0"\nexit 1\n')
    editor.chmod(0o755)
    with terminal_on(path, str(editor)) as terminal:
        terminal.wait_for("prompt: Answer the question.")
        for fault in ("exit code 1", "cannot be started"):
            terminal.press("ctrl+o")
            terminal.wait_for(fault)
            terminal.wait_for("prompt: Answer the question.")
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
    assert path.read_text() == COMMENTED
