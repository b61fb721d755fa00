"""Sets up runs of methods that score prompts on rows."""

from typing import Any

from spotui.runs.snapshots import new_project
from spotui.settings.table import RoleSet, RoleSettings, RunSettings
from spotui.workspace.projects import Project
from tests.row_model import rows, template
from tests.runs.starting import ONCE, Stage, prepared


def scored_project(
    stage: Stage,
    method: str,
    *,
    name: str = "sums",
    count: int = 30,
    text: str = "",
    rows_text: str = "",
    few_tested: bool = False,
    parameters: dict[str, Any] | None = None,
    **changes: Any,
) -> Project:
    """A project whose rows lie in a file beside the template: a fifth each for train and eval.

    Args:
        stage: Where it is made.
        method: The method's name.
        name: The project's.
        count: Rows in the file.
        text: The template's, in place of one of sums.
        rows_text: The file's, in place of sums.
        few_tested: Whether only four rows are left for the test, where a run is not about it.
        parameters: The method's that differ from its defaults.
        changes: Of the settings.
    """
    folder = stage.folder / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.jsonl").write_text(rows_text or rows(count), encoding="utf-8")
    share = f"{{path: rows.jsonl, split: {{train: {count // 5}, eval: {count // 5}, test: 4}}}}"
    text = text or template(data=share if few_tested else "rows.jsonl")
    role = RoleSettings(model="test-model", temperature=0.0, max_tokens=None, timeout=10.0)
    settings: dict[str, Any] = {
        "roles": RoleSet(optimizer=role, evaluator=role, executor=role),
        "base_url": stage.server.base_url,
        "retry": ONCE,
        **changes,
    }
    wanted = prepared(
        text,
        RunSettings(**settings),
        path=folder / "sums.yaml",
        method=method,
        parameters=parameters,
        rounds_are_default="max_rounds" not in changes,
    )
    return new_project(stage.workspace, name, wanted)
