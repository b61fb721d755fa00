"""The headroom is measured from New run: what it costs, what came of it, and the run that it suggests."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.tui.app import SpotuiApp
from spotui.tui.headroom import HeadroomScreen
from spotui.tui.method_screen import MethodLine
from spotui.tui.new_run import NewRunScreen
from tests.cli.test_headroom import answering
from tests.command_line import move_in
from tests.model_server import ModelServer
from tests.row_model import rows, template
from tests.tui.piloting import until
from tests.tui.test_judge_check import in_new_run, until_said


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_in(monkeypatch, tmp_path)
    return tmp_path


def test_what_is_suggested_is_taken_over_into_the_run(home: Path) -> None:
    (home / "rows.jsonl").write_text(rows(240))
    path = home / "sums.yaml"
    path.write_text(template())

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.screen.query_one("#calls", Input).value = "7"  # the run's budget, and not that of the headroom
        await pilot.press("ctrl+g")
        await until_said(pilot, "Headroom of sums.yaml", "It takes about 1", "enter starts")
        assert not server.requests
        await pilot.press("enter")
        await until_said(pilot, "There is headroom: 'form' gains", "Suggested: gpo with", "takes over")
        bought = len(server.requests)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
        screen = app.screen
        assert isinstance(screen, NewRunScreen)
        assert screen.query_one(MethodLine).chosen.method == "gpo"
        assert int(screen.query_one("#calls", Input).value) > 100
        assert screen.chosen.words[-1] == "--start-from-probes"
        await until_said(pilot, "It starts from the probes that beat the seed.")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(app.screen, HeadroomScreen))
        await until_said(pilot, "Last time: There is headroom")
        assert len(server.requests) == bought
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen))

    with ModelServer(answering("on the last line", 0.4)) as server:
        in_new_run(home, server, journey, str(path))
