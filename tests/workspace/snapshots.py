"""Settings of runs that never were."""

from typing import Any

from spotui.workspace.snapshot import Snapshot
from tests.workspace.journal_lines import AT, RUN

_ROLE = {"model": "m", "temperature": None, "max_tokens": None, "timeout": 60.0}
SETTINGS = {"roles": dict.fromkeys(("optimizer", "evaluator", "executor"), _ROLE)}
"""The settings that every run has."""


def a_snapshot(template: str = "prompt: Tell me.\n", settings: dict[str, Any] | None = None) -> Snapshot:
    """What a run was started with."""
    return Snapshot(
        version=1,
        run=RUN,
        created=AT,
        method="spo",
        template_name="poem",
        template=template,
        questions=(0, 2),
        held_out=(1,),
        settings=SETTINGS | (settings or {}),
    )
