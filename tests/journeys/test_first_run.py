"""The first run: the welcome, a template of one's own, a run to its end, and the best prompt."""

from pathlib import Path

from spotui.settings import locations
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.workspace.projects import Workspace
from tests.journeys.tasks import MODEL, Task
from tests.journeys.traveller import Traveller, said, travel


def test_from_the_welcome_to_the_best_prompt(home: Path, size: tuple[int, int], task: Task) -> None:
    async def way(person: Traveller) -> None:
        await person.sees(said("1  A model"), said("2  A template"), MODEL)
        await person.press("enter", "escape")
        await person.sees(said("No projects yet"))
        await person.press("n")
        await person.sees(said("Paste the prompt that you want to improve."))
        await person.types("prompt", task.prompt)
        await person.press("ctrl+s")
        await person.types("questions", task.pasted)
        await person.looks()
        await person.press("ctrl+s")
        await person.types("requirements", task.requirements)
        await person.press("ctrl+s")
        await person.types("name", "mine")
        await person.looks()
        await person.press("enter")
        await person.sees("mine")
        await person.press("enter")
        await person.sees(said("Expected: "), MODEL)
        await person.types("rounds", "3")
        await person.press("enter")
        await person.sees(said("finished"), said("Best"))
        await person.press("5")
        await person.sees(task.styled.format(2))
        await person.press("escape")  # back to a list with the cursor on the run
        await person.until(lambda: isinstance(person.app.focused, ProjectsPanel))
        await person.until(lambda: person.app.screen.query_one(ProjectsPanel).current == "mine")

    travel(home, way, size, task, "mine.yaml", workspace=Workspace(locations.workspace_dir()))
