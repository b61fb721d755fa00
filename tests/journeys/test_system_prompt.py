"""A system prompt from another tool: imported, completed, and run where it stands in use."""

from pathlib import Path

from spotui.settings import locations
from spotui.workspace.projects import Workspace
from tests.journeys.tasks import MODEL, Task
from tests.journeys.traveller import Traveller, said, travel
from tests.model_server import ModelServer
from tests.tui.piloting import workspace_in


def test_from_an_import_to_a_run(home: Path, size: tuple[int, int], task: Task, server: ModelServer) -> None:
    (home / "chats.jsonl").write_text(task.chats, "utf-8")

    made = locations.templates_dir() / "chats.yaml"

    async def way(person: Traveller) -> None:
        await person.sees("other", said("Templates"))
        await person.press("i")
        await person.sees("chats.jsonl")
        await person.types("path", "chats.jsonl")
        await person.sees(task.prompt, said("{n:,} thing is left out or changed:"))
        await person.press("ctrl+s")
        await person.sees("chats", said("{n:,} template is imported."))
        await person.press("e", "ctrl+t")
        await person.types("requirements", task.requirements)
        await person.looks()
        await person.press("ctrl+s")
        await person.until(lambda: task.requirements in made.read_text("utf-8"))
        await person.press("escape")
        await person.sees("chats", said("Projects"))
        await person.press("enter")
        await person.sees(said("Expected: "))
        await person.types("model", MODEL)
        await person.types("rounds", "2")
        await person.sees(said("Expected: "))
        await person.press("enter")
        await person.sees(said("Stopped: "), said("finished"))
        await person.press("1")
        await person.sees("position: system")

    names = (
        "chats.jsonl",
        "other",
        "yaml",
        "prompt requirements count qa question answer position system source",
    )
    travel(home, way, size, task, *names, workspace=Workspace(workspace_in(home)))
    asked = [one.json["messages"] for one in server.requests]
    assert [{"role": "system", "content": task.styled.format(1)}] in [one[:1] for one in asked]
