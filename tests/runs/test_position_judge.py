"""Real replies of the embedded model, whose judge has a taste for a position and no other.

Under our rule it promotes nothing and is told so; under the reference's, the same replies promote prompts.
`python -m tests.recordings.position_judge` records them again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spotui.domain.events import JudgeMeasured, Noticed, VoteCast
from spotui.runs.snapshots import new_project
from spotui.settings.table import RunSettings
from spotui.workspace.projects import Workspace
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.model_server import ModelServer
from tests.recordings import Playback, load
from tests.runs.starting import ONCE, Stage, Told, prepared


@pytest.fixture(scope="module")
def runs() -> dict[str, Any]:
    return load("position_judge")[0]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(Playback(load("position_judge")[1])) as server:
        yield server


def played(runs: dict[str, Any], judge: str, server: ModelServer, folder: Path) -> Told:
    """The run with this rule, on the recorded replies."""
    settings = msgspec.structs.replace(
        msgspec.convert(runs[judge]["settings"], RunSettings), base_url=server.base_url, retry=ONCE
    )
    roles = msgspec.to_builtins(settings.roles)
    for role in roles.values():
        role["model"] = "recorded"
    settings = msgspec.structs.replace(settings, roles=msgspec.convert(roles, type(settings.roles)))
    for name, text in runs["meta_prompts"].items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    wanted = prepared(runs["template"], settings, path=Path("product-name.yaml"), prompt_folders=[folder])
    project = new_project(Workspace(folder / "workspace"), judge, wanted)
    # The replies were recorded with this edition: later ones ask again in other words.
    write_snapshot(project.snapshot, msgspec.structs.replace(read_snapshot(project.snapshot), edition=3))
    return Stage(folder, server).go(project)


def test_our_rule_promotes_nothing_and_says_why(
    runs: dict[str, Any], server: ModelServer, tmp_path: Path
) -> None:
    end = played(runs, "balanced", server, tmp_path)
    assert "win" not in end.outcomes
    assert (end.stopped.best, end.stopped.improved) == (1, False)
    measured = end.of(JudgeMeasured)[-1]
    assert measured.warning.startswith("This judge decides by position: ")
    assert any("This judge decides by position" in one.text for one in end.of(Noticed))
    assert {vote.choice for vote in end.of(VoteCast)} >= {"win", "loss"}


def test_the_references_rule_promotes_prompts_on_the_same_replies(
    runs: dict[str, Any], server: ModelServer, tmp_path: Path
) -> None:
    end = played(runs, "reference", server, tmp_path)
    assert "win" in end.outcomes
    assert end.stopped.improved
    assert end.outcomes == runs["reference"]["outcomes"]
