"""Every binding of the app can be told, remapped, and pressed on any terminal."""

import re

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from spotui.tui.app import SpotuiApp
from spotui.tui.bindings import (
    fault_of,
    group_of,
    merged_bindings,
    normalised,
    own_bindings,
    types_something,
    widget_types,
)
from spotui.tui.home.projects_panel import ProjectsPanel

ALL = [(kind, binding) for kind in widget_types() for binding in own_bindings(kind)]
EVERYWHERE = re.compile(
    r"escape|backspace|delete|up|down|left|right|home|end|pageup|pagedown|f([1-9]|1[0-2])"
    r"|ctrl\+[ac-gj-lnopq-z]"  # ctrl+b is tmux's own; h, i and m are other keys
)


def said(kind: type[DOMNode], binding: Binding) -> str:
    return f"{kind.__name__}: {binding.key} {binding.action} ({binding.id})"


def test_the_app_its_screens_and_its_panels_are_among_them() -> None:
    assert {SpotuiApp, ProjectsPanel} <= set(widget_types())


@pytest.mark.parametrize(("kind", "binding"), ALL, ids=[said(*one) for one in ALL])
def test_a_binding_has_a_name_a_description_and_keys_that_every_terminal_tells(
    kind: type[DOMNode], binding: Binding
) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", binding.id or "")
    assert binding.description
    keys = [normalised(key.strip()) for key in binding.key.split(",")]
    assert [fault_of(key) for key in keys] == [("", "")] * len(keys)
    assert any(types_something(key) or EVERYWHERE.fullmatch(key) for key in keys), (
        "an old terminal has no key for this"
    )
    assert not {"ctrl+b"} & set(keys)


def test_no_two_bindings_have_one_name() -> None:
    names = [binding.id for _, binding in ALL]
    assert sorted(names, key=str) == sorted(set(names), key=str)


def test_a_class_overrides_what_it_inherits() -> None:
    merged = merged_bindings(ProjectsPanel)
    assert merged["enter"][0].id == "projects.open"
    assert merged["k"][0].id == "table.up"
    assert group_of(merged["enter"][0]) == "projects"
