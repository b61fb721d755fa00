"""Settings, models and keys in a terminal of its own, with as many colours as it has."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command_line import places
from tests.model_server import ModelServer
from tests.spo_model import climbing
from tests.terminal import Terminal

PATIENCE = 120.0
KEY = "sk-typed-on-the-screen"
COLOUR = re.compile(rb"\x1b\[([0-9;]*)m")


class Recorded(Terminal):
    """A terminal that keeps what was written to it."""

    raw = b""

    def _feed(self, data: bytes) -> None:
        self.raw += data
        super()._feed(data)

    @property
    def colours(self) -> set[str]:
        """What was asked for: `default`, `sixteen`, `many`."""
        found = set()
        for (codes,) in (match.groups() for match in COLOUR.finditer(self.raw)):
            parts = codes.decode().split(";")
            if "38" in parts or "48" in parts:
                found.add("many")
            elif any(re.fullmatch("3[0-7]|4[0-7]|9[0-7]|10[0-7]", part) for part in parts):
                found.add("sixteen")
        return found


@contextmanager
def opened(home: Path, size: tuple[int, int], **more: str) -> Iterator[Recorded]:
    """The app with a project in its workspace."""
    results = home / "data" / "workspace" / "other" / "prompts" / "results.json"
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text("[]")
    environ: Mapping[str, str | None] = {"COLORTERM": None, **places(home), **more}
    columns, rows = size
    command = [sys.executable, "-m", "spotui"]
    with Recorded(command, columns=columns, rows=rows, environ=environ) as terminal:
        terminal.wait_for("Projects  1", "Templates", "? keys", seconds=PATIENCE)
        yield terminal


def test_a_theme_a_default_and_a_model_are_kept(home: Path) -> None:
    config = home / "config" / "config.yaml"
    with (
        ModelServer(climbing) as model,
        opened(home, (80, 24), MY_KEY=KEY, TERM="xterm-256color", COLORTERM="truecolor") as terminal,
    ):
        terminal.press(",")
        terminal.wait_for("enter keeps it", "Rounds", seconds=PATIENCE)
        terminal.press("down", "enter")
        terminal.wait_for("moss is kept", seconds=PATIENCE)
        terminal.press("tab", "7")
        terminal.wait_for("as it was", seconds=PATIENCE)
        terminal.press("enter")
        terminal.wait_gone("as it was", seconds=PATIENCE)
        terminal.press("escape")
        terminal.wait_for("Projects  1", seconds=PATIENCE)

        terminal.press("m")
        terminal.wait_for("optimizer", "No model is written down", seconds=PATIENCE)
        terminal.press("tab", "n")
        terminal.wait_for("A new model", seconds=PATIENCE)
        terminal.press("mine", "down", model.base_url, "down", "MY_KEY", "enter")
        terminal.wait_for("$MY_KEY", "It answered", seconds=PATIENCE)
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        assert KEY.encode() not in terminal.raw
        assert terminal.colours == {"many"}
    text = config.read_text()
    assert "theme: moss" in text
    assert "max_rounds: 7" in text
    assert f"base_url: {model.base_url}" in text
    with opened(home, (80, 24)) as again:  # of 256 colours
        assert again.colours == {"many"}


@pytest.mark.parametrize(
    ("more", "colours"),
    [
        ({"NO_COLOR": "1"}, set()),
        ({"TERM": "xterm-16color"}, {"sixteen"}),
    ],
)
def test_no_more_colours_are_sent_than_the_terminal_has(
    home: Path, more: dict[str, str], colours: set[str]
) -> None:
    with opened(home, (80, 24), **more) as terminal:
        terminal.press(",")
        terminal.wait_for("enter keeps it", seconds=PATIENCE)
        terminal.press("?")
        terminal.wait_for("This panel", seconds=PATIENCE)
        terminal.press("escape")
        terminal.wait_gone("This panel", seconds=PATIENCE)
        terminal.press("escape")
        terminal.wait_for("Projects  1", seconds=PATIENCE)
        terminal.press("m")
        terminal.wait_for("optimizer", seconds=PATIENCE)
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
        assert terminal.colours == colours
