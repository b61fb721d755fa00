"""The table of rounds: it fits any terminal, and only the modification is ever cut."""

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.cli.summary import RoundCells, fit, head, widest
from spotui.domain.text import width
from tests.cli.conftest import Shell
from tests.command_line import places
from tests.terminal import Terminal

TEXTS = (
    "Ask for style 2. " + "And name every reason in order. " * 8,
    "请用更有说服力的方式回答,并给出理由。" * 9,
    "👩‍👩‍👧 tell it as a family story 🇩🇪 👍🏽 ❤️ " * 7,
    "e\u0301t\u0302a\u0308 " * 40,
    "x" * 300,
)
"""Modifications as models write them: long, Chinese, emoji of several parts, combining accents, one word."""

ROW = RoundCells("12", "undecided", "11:10", "123.4k", "$0.0123", "1:02:33", "")
WHOLE = re.compile(r"[23]\*? +win +[34]:0 .*[0-9]k +\$ unknown .*…$")
"""A row with every figure, and a modification that was cut."""

SIZE = {"COLUMNS": None, "LINES": None}
"""What pytest sets for its workers; the terminal's own size counts here."""

KEPT = ("round", "verdict", "votes", "cost")


@pytest.mark.parametrize("text", TEXTS)
def test_every_row_fits_and_no_figure_shrinks(text: str) -> None:
    for cells in [40, *range(60, 201)]:
        heads, row = fit([head(is_scored=False), ROW._replace(modification=text)], cells)
        widths = widest([heads, row])
        assert sum(widths.values()) + 2 * (len(widths) - 1) <= cells
        assert [row[name] for name in KEPT] == [getattr(ROW, name) for name in KEPT]
        if cells >= 60:
            assert list(row) == list(ROW.by_name)
            assert row["modification"].endswith("…")
            assert text.startswith(row["modification"][:-1])


@given(st.text(), st.integers(60, 200))
def test_any_modification_fits(text: str, cells: int) -> None:
    heads, row = fit([head(is_scored=True), ROW._replace(modification=text)], cells)
    assert sum(widest([heads, row]).values()) + 12 <= cells
    assert heads["votes"] == "score"


def test_columns_of_the_method_are_between_figures_and_modification_as_long_as_there_is_room() -> None:
    row = ROW._replace(columns={"front": "3", "lessons kept": "1,200"}, modification="Ask.")
    heads = head(tuple(row.columns), is_scored=True)
    whole = [*list(ROW.by_name)[:-1], "front", "lessons kept", "modification"]
    assert list(fit([heads, row], 120)[1]) == whole
    assert list(fit([heads, row], 40)[1]) == ["round", "verdict", "votes", "cost", "front"]


def test_what_has_room_is_not_cut() -> None:
    row = ROW._replace(modification="Ask for reasons.")
    assert fit([head(is_scored=False), row], 120)[1] == row.by_name


@pytest.fixture
def talkative(home: Path, template: str, shell: Shell) -> Path:
    """A finished run with long modifications, in Chinese and with emoji that pyte can draw.

    Nothing of them reaches the optimizer, so that the journal has its answers to what is asked again.
    """
    words = ("--model", "test-model", "--max-rounds", "3", "--set", "feedback=none")
    assert shell("run", template, *words).code == 0
    workspace = home / "data" / "workspace"
    journal = workspace / "why" / "journal.jsonl"
    text = journal.read_text()
    journal.write_text(
        text.replace("Ask for style 1.", TEXTS[1]).replace("Ask for style 2.", "🎭 Tell it as a play. " * 30)
    )
    return workspace


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 200])
def test_the_live_table_keeps_its_columns_in_a_terminal(home: Path, talkative: Path, columns: int) -> None:
    command = [sys.executable, "-m", "spotui", "replay", "why", "--speed", "0"]
    with Terminal(command, columns=columns, rows=40, environ={**places(home), **SIZE}) as terminal:
        screen = terminal.wait_for("Outcome:")
    rows = [line for line in screen.splitlines() if line.lstrip().startswith(("2 ", "3 "))]
    assert len(rows) == 2
    assert all(WHOLE.search(line) and width(line) <= columns for line in rows), rows
    assert "请用" in rows[0]


@pytest.mark.parametrize("columns", [60, 100])
def test_show_keeps_its_columns_in_a_terminal(home: Path, talkative: Path, columns: int) -> None:
    command = [sys.executable, "-m", "spotui", "show", "why"]
    with Terminal(command, columns=columns, rows=40, environ={**places(home), **SIZE}) as terminal:
        screen = terminal.wait_for("Spent")
    rows = [line for line in screen.splitlines() if "  win " in line]
    assert len(rows) == 2
    assert all(WHOLE.search(line) and width(line) <= columns for line in rows), rows
