"""The user's own keys: what can be used is used, and what cannot is told."""

from pathlib import Path
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.widgets import Input

from spotui.settings.shortcuts import load_user_keys
from spotui.tui.bindings import KeyMap, check_keys


class AnApp(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "quit", id="app.quit", priority=True)]


class AScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "stop", id="run.stop"),
        Binding("v", "split", "side by side", id="run.split"),
        Binding("1", "panel(0)", "panel", id="run.panel_1"),
        Binding("space", "pause", "pause", id="run.pause"),
        Binding("space", "resume", "resume", id="run.resume"),  # where there is nothing to pause
        Binding("tab", "app.focus_next", "other panel", id="run.other_panel"),
    ]


class APanel(ScrollView):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,delete", "delete", "delete", id="projects.delete"),
        Binding("r", "rename", "rename", id="projects.rename"),
    ]


class AHome(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "tour", "tour", id="home.tour"),
        Binding("x", "end", "end", id="home.end"),  # where the panel has nothing to delete
    ]

    def compose(self) -> ComposeResult:
        yield from self._panels()

    def _panels(self) -> ComposeResult:
        yield from (APanel() for _ in range(2))
        yield Input()


class ADialog(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+t", "test", "test", id="dialog.test")]

    def compose(self) -> ComposeResult:
        yield Input()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.yaml"


def checked(file: Path, text: str) -> KeyMap:
    file.write_text(text)
    return check_keys(load_user_keys(file), [AScreen, APanel, AHome, ADialog], AnApp)


def test_keys_are_taken_as_they_are_written(file: Path) -> None:
    found = checked(
        file, "run.stop: S\nprojects.delete: [delete, ctrl+x]\nprojects.rename: 'z, ?'\nrun.panel_1: 9\n"
    )
    assert found.problems == ()
    assert found.keys == {
        "run.stop": "S",
        "projects.delete": "delete,ctrl+x",
        "projects.rename": "z,question_mark",
        "run.panel_1": "9",
    }


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("run.stopp: x", "Did you mean run.stop?"),
        ("entirely.different: x", "nothing is called so"),
        ("run.stop: ctrl+m", "ctrl+m is enter"),
        ("run.stop: pagdown", "Did you mean pagedown?"),
        ("run.stop: v", "'side by side' (run.split)"),
        ("run.stop: ctrl+q", "'quit' (app.quit)"),
        ("app.quit: x", "typed into texts"),
        ("run.stop: tab", "(run.other_panel)"),
        ("run.stop: shift+tab", "'Focus Previous'"),
        ("projects.rename: up", "'Scroll Up'"),
        ("run.stop:", "must be a key"),
        ("run.stop: {a: b}", "must be a key"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line_and_the_rest_is_used(
    file: Path, line: str, what: str
) -> None:
    found = checked(file, f"run.panel_1: Z\n{line}\n")
    assert found.keys == {"run.panel_1": "Z"}
    (problem,) = found.problems
    assert problem.where.endswith("keys.yaml, line 2")
    assert what in f"{problem.what} {problem.hint}"


def test_two_keys_can_be_exchanged(file: Path) -> None:
    assert checked(file, "run.stop: v\nrun.split: s\n") == KeyMap({"run.stop": "v", "run.split": "s"}, ())


def test_of_two_that_want_the_same_key_the_first_has_it(file: Path) -> None:
    found = checked(file, "run.split: x\nrun.stop: x\n")
    assert found.keys == {"run.split": "x"}
    assert "'side by side' (run.split)" in found.problems[0].what


def test_a_key_whose_owner_cannot_move_is_not_free(file: Path) -> None:
    found = checked(file, "run.split: ctrl+q\nrun.stop: v\n")
    assert found.keys == {}
    assert len(found.problems) == 2


def test_one_key_may_do_different_things_in_different_places(file: Path) -> None:
    assert checked(file, "run.stop: n\nprojects.rename: n\n").problems == ()


def test_what_shares_a_key_in_different_states_may_share_another(file: Path) -> None:
    assert checked(file, "run.pause: p\nrun.resume: p\n").problems == ()
    assert len(checked(file, "run.pause: s\n").problems) == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("home.tour: r\n", "home.tour: r is 'rename' (projects.rename) already."),
        ("home.tour: [ctrl+y, delete]\n", "delete is 'delete' (projects.delete) already."),
        ("home.tour: n\nprojects.rename: n\n", "home.tour: n is 'rename' (projects.rename) already."),
        ("home.tour: pagedown\n", "pagedown is 'Page Down' already."),
        ("dialog.test: z\n", "dialog.test: z is typed into the text there."),
        ("dialog.test: ctrl+u\n", "ctrl+u is 'Delete all to the left' already."),
    ],
)
def test_a_key_that_what_has_the_focus_takes_is_told(file: Path, text: str, what: str) -> None:
    found = checked(file, text)
    assert what in found.problems[0].what
    assert len(found.problems) == 1
    assert set(found.keys) <= {"projects.rename"}


@pytest.mark.parametrize(
    "text",
    [
        "home.tour: r\nprojects.rename: z\n",  # the panel has let it go
        "home.tour: ctrl+u\n",  # works wherever nobody types
        "home.end: x\n",  # as it is usually
        "projects.rename: t\n",  # a panel may have what its screen has
        "run.stop: r\n",  # another screen
    ],
)
def test_a_key_that_nothing_there_takes_is_used(file: Path, text: str) -> None:
    assert checked(file, text).problems == ()
