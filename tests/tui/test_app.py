"""What holds on every screen."""

from pathlib import Path

from textual.pilot import Pilot

from spotui.tui.app import SpotuiApp
from tests.tui.piloting import drive, until_seen


def test_a_message_is_shown_as_it_is_whatever_it_looks_like(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.screen.notify("[/b] is no model.", title="[red]odd", markup=True)
        await until_seen(pilot, "[/b] is no model.", "[red]odd")

    drive(tmp_path, journey)
