"""Trackers: what they are given, that none can hold up or stop a run, and that no key reaches them."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from spotui.cli import exit_codes
from spotui.domain.events import RoundFinished, RunOpened
from spotui.settings.config_file import ModelConfig, PriceConfig
from spotui.settings.save import save_model
from spotui.wire.tracking import TrackedEnd, TrackedRound, TrackedRun, TrackerError, feed, load_tracker
from tests.cli.conftest import Shell
from tests.command_line import ROOT
from tests.model_server import ModelServer
from tests.row_model import racing, rows, template
from tests.tracked.noting import NOTES, Hanging, Noting

GPO = "method: gpo\nparameters:\n  max_steps: 2\n  candidates_per_step: 1\n"
KEY = "sk-tracker-0123456789"


@pytest.fixture
def third(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry points of another package: a tracker that notes what it is given, and broken ones."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "tracked"))
    NOTES.clear()


@pytest.fixture
def sums(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A template with rows, and a model with a price that adds."""
    monkeypatch.setenv("NOTING_API_KEY", KEY)
    (home / "rows.jsonl").write_text(rows(40))
    (home / "sums.yaml").write_text(template() + GPO)
    with ModelServer(racing) as server:
        save_model("priced", ModelConfig(base_url=server.base_url, price=PriceConfig(input=1.0, output=2.0)))
        yield server


@pytest.mark.usefixtures("third", "sums")
def test_a_tracker_of_another_package_is_given_runs_rounds_figures_and_files(
    shell: Shell, home: Path
) -> None:
    path = home / "sums.yaml"
    path.write_text(path.read_text().replace("style 0", f"style 0, never {KEY}"))
    ran = shell("run", "sums.yaml", "--model", "priced", "--track", "noting", "--max-rounds", "2")
    assert ran.code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    run, *rounds, ending = NOTES
    assert isinstance(run, TrackedRun)
    assert (run.project, run.method, run.models["executor"]) == ("sums", "gpo", "priced")
    assert (run.facts["parameter max_steps"], run.facts["eval rows"]) == (2, 8)
    assert all(isinstance(one, TrackedRound) for one in rounds)
    assert [one.round for one in rounds] == [1, 2]
    assert {"score", "best_score", "calls", "usd", "tokens", "usd_per_answer"} <= rounds[1].figures.keys()
    assert rounds[1].figures["calls"] > rounds[0].figures["calls"] == 8
    assert rounds[1].prompt.startswith("Add in style 1")
    assert isinstance(ending[0], TrackedEnd)
    assert (ending[0].reason, ending[0].is_failed) == ("finished", False)
    assert sorted(ending[1]) == ["best_prompt.txt", "report.html"]
    assert "<html" in ending[1]["report.html"]
    assert KEY not in repr(NOTES)
    assert "never ***" in run.prompt

    NOTES.clear()  # resumed, it is the same run, and the rounds that are there are not reported again
    Noting.known = 2
    try:
        shell("resume", "sums", "--max-rounds", "3", "--track", "noting")
    finally:
        Noting.known = 0
    again, *more, _end = NOTES
    assert again.run == run.run
    assert [one.round for one in more] == [3]


@pytest.mark.usefixtures("third", "sums")
def test_a_tracker_that_fails_or_hangs_costs_the_run_a_sentence_and_nothing_else(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "FAREWELL_SECONDS", 0.2)
    monkeypatch.setenv("SPOTUI_TRACK", "failing,hanging")
    began = time.monotonic()
    ran = shell("run", "sums.yaml", "--model", "priced", "--max-rounds", "2", "--plain")
    took = time.monotonic() - began
    assert ran.code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    said = ran.out + ran.err
    assert said.count("failing does not take the run any more: the server said *** no. ") == 1
    assert said.count("hanging has not taken everything 0.2 seconds after the run") == 1
    assert KEY not in said
    plain = time.monotonic()
    monkeypatch.setenv("SPOTUI_TRACK", "none")
    shell("run", "sums.yaml", "--model", "priced", "--max-rounds", "2", "--plain", "--name", "other")
    assert took < 3 * (time.monotonic() - plain) + 2
    Noting.free.set()


@pytest.mark.usefixtures("third", "sums")
def test_what_keeps_a_tracker_from_working_is_said_with_the_fix_before_the_run(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, what in (
        ("mlfow", "Did you mean 'mlflow'?"),
        ("keyless", "Set KEYLESS_API_KEY."),
        ("broken", "The tracker 'broken' cannot be loaded"),
        ("mlflow", "MLFLOW_TRACKING_URI is not set"),
    ):
        said = shell("run", "sums.yaml", "--model", "priced", "--track", name)
        assert said.code == exit_codes.FAILED
        assert what in said.err
    assert not (home / "data" / "workspace" / "sums").exists()
    monkeypatch.setenv(
        "SPOTUI_TRACK", "keyless"
    )  # from a variable, it is said, and the run begins without it
    said = shell("run", "sums.yaml", "--model", "priced", "--max-rounds", "1")
    assert "Set KEYLESS_API_KEY." in said.err
    assert "The run begins without it." in said.err
    assert (home / "data" / "workspace" / "sums").exists()


def test_a_queue_that_is_full_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(feed, "MOST_WAITING", 2)
    Noting.free.clear()
    one = feed.Feed("hanging", Hanging(), said.append)
    one.take(
        RunOpened(
            version=2,
            project="p",
            folder="",
            run="r",
            method="spo",
            models={},
            rounds=9,
            questions=(),
            held_out=0,
            judge="",
            prompt="",
        )
    )
    began = time.monotonic()
    for number in range(1, 50):
        one.take(RoundFinished(round=number, outcome="loss", best=1))
    assert time.monotonic() - began < 1
    Noting.free.set()
    one.close(5)
    assert len(said) == 1
    assert "rounds are missing there" in said[0]


def test_mlflow_has_the_run_its_figures_by_round_and_its_files(
    shell: Shell, sums: ModelServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the file store of the real package, where that is installed."""
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (home / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    words = ("--model", "priced", "--track", "mlflow")
    said = shell("run", "sums.yaml", *words, "--max-rounds", "2")
    assert "does not take the run" not in said.err + said.out
    shell("resume", "sums", "--max-rounds", "3", "--track", "mlflow")
    client = mlflow.MlflowClient((home / "mlruns").as_uri())
    (run,) = client.search_runs([client.get_experiment_by_name("spotui").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["method"] == "gpo"
    scores = client.get_metric_history(run.info.run_id, "score")
    assert [one.step for one in scores] == [1, 2, 3]
    names = [one.path for one in client.list_artifacts(run.info.run_id)]
    assert {"best_prompt.txt", "report.html", "candidates", "seed_prompt.txt"} <= {*names}
    assert sums.requests


def test_wandb_has_the_run_its_figures_by_round_and_its_files(
    shell: Shell, sums: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a stand-in for the package, which takes a minute to install: its calls are as in wandb 0.31."""
    package: Any = ModuleType("wandb")
    logged: list[Any] = []
    run = SimpleNamespace(
        id="x",
        summary={},
        log=lambda figures, step=None: logged.append((step, figures)),
        log_artifact=lambda artefact: logged.append(("artefact", artefact.files)),
        finish=lambda exit_code: logged.append(("end", exit_code)),
    )

    class Artifact:
        def __init__(self, name: str, type: str) -> None:  # noqa: A002 - wandb's name
            self.name, self.type, self.files = name, type, list[str]()

        def add_file(self, path: str) -> None:
            assert Path(path).is_file()
            self.files.append(Path(path).name)

    begun: list[dict[str, Any]] = []

    def init(**values: Any) -> SimpleNamespace:
        begun.append(values)
        return run

    package.init = init
    package.Settings = lambda **values: values
    package.Artifact, package.Table = Artifact, lambda columns, data: (columns, data)
    package.__spec__ = SimpleNamespace(name="wandb")
    monkeypatch.setitem(sys.modules, "wandb", package)
    with pytest.raises(TrackerError, match="WANDB_API_KEY is not set"):
        load_tracker("wandb")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    shell("run", "sums.yaml", "--model", "priced", "--track", "wandb", "--max-rounds", "2")
    assert begun[0]["resume"] == "allow"
    assert begun[0]["config"]["model executor"] == "priced"
    assert begun[0]["settings"]["x_disable_meta"] is True
    assert [step for step, figures in logged if isinstance(figures, dict) and "score" in figures] == [1, 2]
    assert ("artefact", ["best_prompt.txt", "report.html"]) in logged
    assert logged[-1] == ("end", 0)
    assert KEY not in repr((begun, logged))
    assert threading.active_count() < 50
    assert sums.requests
