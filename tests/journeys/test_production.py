"""Taking the result to production: copied, exported, reported, and verified against the journal."""

import pytest

from spotui.workspace.projects import Workspace
from tests.command_line import type_in
from tests.journeys.tasks import Task
from tests.journeys.traveller import Traveller, said, travel


def test_copy_export_report_and_verify(
    workspace: Workspace, size: tuple[int, int], task: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    home = workspace.root.parent.parent
    best = task.styled.format(2)

    async def way(person: Traveller) -> None:
        await person.sees("why", "sums-race/gpo")
        person.app.open_project("why")
        await person.sees(said("Best: round {best}, {found}"), said("finished"))
        await person.press("y")
        await person.sees(said("The prompt of {name} is on the clipboard"))
        assert person.app.clipboard == best
        await person.press("x")
        await person.sees(said("write a report of the run, as a page"), said("write everything, as JSON"))
        await person.press("p")
        await person.sees(said("Write to"))
        await person.press("enter")
        await person.sees(said("Wrote {path}."))
        await person.press("r")
        await person.sees(said("Write to"))
        await person.press("enter")
        await person.until((home / "why.html").exists)
        await person.press("r")
        await person.sees(said("Write to"))
        await person.press("enter")
        await person.sees(said("Overwrite {path}?"))
        await person.press("n")
        await person.sees(said("Nothing was written."))

    travel(home, way, size, task, "sums-race/gpo", "sums-race/ape", "long", "why.yaml", workspace=workspace)
    assert (home / "why.txt").read_text("utf-8").strip() == best
    for file in ("why.txt", "why.html"):
        outcome = type_in(capsys, "verify", file)
        assert (outcome.code, outcome.out.splitlines()[-1]) == (
            0,
            said("The file says what the journal says."),
        )
