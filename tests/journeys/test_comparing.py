"""Comparing methods: a race with its winner, and two of its prompts row by row."""

from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.workspace.projects import Workspace
from tests.journeys.tasks import Task
from tests.journeys.traveller import Traveller, said, travel

NAMES = ("sums-race/gpo", "sums-race/ape", "long", "sums.yaml", "why.yaml")


def test_a_race_its_winner_and_its_rows(workspace: Workspace, size: tuple[int, int], task: Task) -> None:
    async def way(person: Traveller) -> None:
        await person.sees("sums-race/gpo", "why")
        person.app.screen.query_one(TemplatesPanel).select_named("sums")
        await person.press("tab", "c")
        await person.sees(said("New race on"), said("Expected, one after another:"), "gradsum ")
        await person.press("escape", "tab", "c")
        await person.sees(said("Winner: "), said("Gain on the seed in points"))
        await person.press("g")
        await person.looks()
        await person.press("c")
        await person.sees(said("The difference is {gain}"), task.total.format(16))
        await person.press("right_square_bracket")
        await person.sees(said("The gain of {method} on the seed is"))
        await person.press("x", "down", "enter")
        await person.looks()
        await person.press("escape", "enter")
        await person.sees(said("Stopped: "), "sums-race/")
        await person.press("a")
        await person.looks()
        await person.press("2")
        await person.looks()
        await person.press("3")
        await person.looks()

    travel(workspace.root.parent.parent, way, size, task, *NAMES, workspace=workspace)
