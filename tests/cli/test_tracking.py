"""Trackers: what they are given, that none can hold up or stop a run, and that no key reaches them."""

import os
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
from spotui.wire.tracking import TrackedEnd, TrackedRound, TrackedRun, TrackerError, load_tracker, outbox
from spotui.wire.tracking.feed import Feed
from tests.cli.conftest import Shell
from tests.command_line import ROOT, spotui
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
    monkeypatch.setattr(outbox, "FAREWELL_SECONDS", 0.2)
    monkeypatch.setenv("SPOTUI_TRACK", "failing,hanging")
    began = time.monotonic()
    ran = shell("run", "sums.yaml", "--model", "priced", "--max-rounds", "2", "--plain")
    took = time.monotonic() - began
    assert ran.code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    said = ran.out + ran.err
    assert said.count("failing does not take the run any more: the server said *** no. ") == 1
    assert said.count("hanging has not taken everything 0.") == 1
    assert KEY not in said
    plain = time.monotonic()
    monkeypatch.setenv("SPOTUI_TRACK", "none")
    shell("run", "sums.yaml", "--model", "priced", "--max-rounds", "2", "--plain", "--name", "other")
    assert took < 3 * (time.monotonic() - plain) + 2
    Noting.free.set()


@pytest.mark.usefixtures("third", "sums")
def test_a_score_is_reported_with_its_comparison_and_gate(shell: Shell) -> None:
    words = ("score", "sums.yaml", "--model", "priced", "--prompt", "text:Add in style 4.")
    said = shell(*words, "--fail-if-worse-than", "seed", "--track", "adding,failing")
    assert said.code == exit_codes.OK, said.err
    assert said.err.count("failing does not take the run any more: the server said *** no.") == 1
    run, (name, ending, files) = NOTES
    assert (run.kind, run.project, run.group, run.models) == ("score", "sums", None, {"executor": "priced"})
    assert (name, files, ending.facts["gates"]) == ("sums", ["prompt.txt"], "passed")
    assert [row[0] for row in ending.table.rows] == ["seed", "Add in style 4"]
    assert ending.figures["score"] == ending.table.rows[1][1]
    assert 0 < ending.figures["difference_low"] < ending.figures["difference"]
    NOTES.clear()
    shell("score", "sums.yaml", "--model", "priced", "--track", "adding")
    assert NOTES[0].run != run.run
    assert "gates" not in NOTES[1][1].facts


@pytest.mark.usefixtures("sums")
def test_a_dead_tracker_does_not_keep_the_process(home: Path) -> None:
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'tracked'}"}
    began = time.monotonic()
    said = spotui("race", *RACE[1:], "--track", "lingering", env=env)
    assert time.monotonic() - began < 50
    assert said.code == exit_codes.OK, said.err
    assert said.out.startswith("method")
    assert "lingering does not take sums-race any more: no network." in said.err


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
    monkeypatch.setattr(outbox, "MOST_WAITING", 2)
    Noting.free.clear()
    box = outbox.Outbox("hanging", said.append)
    one = Feed(box, Hanging)
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
    box.close(5)
    assert len(said) == 1
    assert "rounds are missing there" in said[0]


RACE = ("race", "sums.yaml", "--model", "priced", "--methods", "gpo,gradsum", "--set", "gradsum.iterations=1")
GPO_ONLY = "templates: [sums.yaml]\nmethods: {gpo: {set: {max_steps: 1, candidates_per_step: 1}}}\n"


@pytest.mark.usefixtures("third")
def test_a_race_is_reported_as_a_group_with_its_test_and_again_without_a_call(
    shell: Shell, sums: ModelServer
) -> None:
    said = shell(*RACE, "--track", "adding")
    assert said.code == exit_codes.OK, said.err
    whole, *rest = NOTES
    assert (whole.kind, whole.project, whole.facts["methods"]) == ("race", "sums-race", "gpo, gradsum")
    runs = [one for one in rest if isinstance(one, TrackedRun)]
    assert [one.project for one in runs] == ["sums-race/gpo", "sums-race/gradsum"]
    assert {one.group for one in (whole, *runs)} == {whole.group}
    assert [one.tags["method"] for one in runs] == ["gpo", "gradsum"]
    ends = {one[0]: one for one in rest if isinstance(one, tuple) and isinstance(one[1], TrackedEnd)}
    assert [*ends] == ["sums-race/gpo", "sums-race/gradsum", "sums-race"]
    assert {tuple(files) for _name, _end, files in ends.values()} == {("best_prompt.txt", "report.html")}
    ending = ends["sums-race"][1]
    assert {row[0] for row in ending.table.rows} == {"gpo", "gradsum"}
    assert ending.figures["test_score/gpo"] == ending.table.rows[0][1]
    assert ending.facts["winner"] in {"gpo", "gradsum", "undecided"}
    added: dict[str, Any] = dict(one for one in rest if isinstance(one, tuple) and isinstance(one[1], dict))
    assert added[runs[0].run]["test_gain_low"] <= added[runs[0].run]["test_gain"]

    before, noted = len(sums.requests), len(NOTES)
    shell(*RACE, "--track", "adding")  # from the journals, as the same runs, and nobody is asked anything
    again = NOTES[noted:]
    assert len(sums.requests) == before
    assert [one.run for one in again if isinstance(one, TrackedRun)] == [whole.run, runs[0].run, runs[1].run]
    last = [one for one in NOTES if isinstance(one, tuple) and one[0] == "sums-race/gpo"]
    rounds = [one[1] for one in last if isinstance(one[1], TrackedRound)]
    assert [one.round for one in rounds] == [1, 2, 3, 1, 2, 3]
    assert [one.prompt for one in rounds[:3]] == [one.prompt for one in rounds[3:]]
    assert rounds[5].figures["calls"] > rounds[3].figures["calls"] == 8
    NOTES.clear()  # one of its runs that is resumed alone stays in the group
    shell("resume", "sums-race/gpo", "--track", "adding")
    assert NOTES[0].group == whole.group


@pytest.mark.usefixtures("third", "sums")
def test_a_sweep_is_reported_as_a_group_whatever_else_is_dead(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FAREWELL_SECONDS", 0.5)
    Noting.free.clear()
    path = home / "sums.yaml"
    path.write_text(path.read_text().replace("style 0", f"style 0, never {KEY}"))
    (home / "plan.yaml").write_text(f"{GPO_ONLY}seeds: [0, 1, 2, 3]\nconditions: {{never {KEY}: }}\n")
    words = ("sweep", "plan.yaml", "--model", "priced")
    assert "Set KEYLESS_API_KEY." in shell(*words, "--track", "keyless").err
    assert not (home / "data" / "workspace" / "plan").exists()
    said = shell(*words, "--track", "failing,hanging,adding")
    assert said.code == exit_codes.OK, said.err
    assert said.err.count("failing does not take plan any more: the server said *** no. All runs") == 1
    assert said.err.count("failing lacks 5 runs, or parts of them.") == 1
    assert said.err.count("hanging has not taken everything 0.") == 1
    assert KEY not in repr(NOTES)
    runs = {one.project: one for one in NOTES if isinstance(one, TrackedRun)}
    assert {one.kind for one in runs.values() if one.project == "plan"} == {"sweep"}
    assert {one.tags["seed"] for name, one in runs.items() if name != "plan"} == {"0", "1", "2", "3"}
    tuples = [one for one in NOTES if isinstance(one, tuple)]
    assert {one[0] for one in tuples if isinstance(one[1], TrackedEnd)} == {*runs}
    assert {one[0] for one in tuples if isinstance(one[1], dict)} == {
        one.run for name, one in runs.items() if name != "plan"
    }
    ending = next(one[1] for one in tuples if one[0] == "plan")
    assert ending.table.columns[-1] == "score on sums"
    assert ending.figures["macro/gpo, never ***"] == ending.table.rows[0][4]
    assert ending.facts["first"] == "gpo, never ***"
    Noting.free.set()


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
    assert shell(*RACE, "--track", "mlflow").code == exit_codes.OK
    shell(*RACE, "--track", "mlflow")
    (experiment,) = client.search_experiments(filter_string="name = 'spotui'")
    raced = client.search_runs([experiment.experiment_id], "tags.`spotui.project` LIKE 'sums-race%'")
    found = {one.data.tags["spotui.project"]: one for one in raced}
    assert len(raced) == len(found) == 3
    parent = found.pop("sums-race")
    assert {one.data.tags["mlflow.parentRunId"] for one in found.values()} == {parent.info.run_id}
    gpo = found["sums-race/gpo"].data
    assert parent.data.metrics["final test_score/gpo"] == gpo.metrics["final test_score"]
    assert parent.data.tags["spotui.winner"]
    names = [one.path for one in client.list_artifacts(parent.info.run_id)]
    assert {"best_prompt.txt", "report.html", "table.csv"} <= {*names}
    assert {one.info.status for one in raced} == {"FINISHED"}
    assert sums.requests


def test_wandb_has_the_run_its_figures_by_round_and_its_files(
    shell: Shell, sums: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a stand-in for the package, which takes a minute to install: its calls are as in wandb 0.31."""
    package: Any = ModuleType("wandb")
    logged: list[Any] = []
    run = SimpleNamespace(
        id="x",
        path="me/spotui/x",
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
    added: list[tuple[str, dict[str, float]]] = []

    def init(**values: Any) -> SimpleNamespace:
        begun.append(values)
        return run

    package.init, package.setup = init, lambda settings: None
    package.Settings = lambda **values: values
    package.Api = lambda: SimpleNamespace(
        run=lambda path: SimpleNamespace(
            summary=SimpleNamespace(update=lambda figures: added.append((path, figures)))
        )
    )
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
    assert shell(*RACE, "--track", "wandb").code == exit_codes.OK
    raced = begun[1:]
    assert [one["job_type"] for one in raced] == ["race", "gpo", "gradsum"]
    assert {one["group"] for one in raced} == {f"sums-race-{raced[0]['id'][:8]}"}
    assert raced[1]["tags"] == ["template: sums.yaml", "method: gpo"]
    assert {path for path, _figures in added} == {f"me/spotui/{one['id']}" for one in raced[1:]}
    assert all("final test_gain" in figures for _path, figures in added)
    assert run.summary["winner"] in {"gpo", "gradsum", "undecided"}
    assert KEY not in repr((begun, logged, added))
    assert threading.active_count() < 50
    assert sums.requests


def test_wandb_offline_writes_a_race_as_runs_of_one_group(
    shell: Shell, sums: ModelServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the real package, where that is installed."""
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(home))
    said = shell(*RACE, "--track", "wandb")
    assert said.code == exit_codes.OK
    assert "wandb" not in said.err
    files = {path.parent.name[-32:]: path.read_bytes() for path in home.glob("wandb/offline-run-*/*.wandb")}
    (race,) = (run for run, written in files.items() if b"table-file" in written and b"winner" in written)
    assert len(files) == 3
    assert all(f"sums-race-{race[:8]}".encode() in written for written in files.values())
    assert sorted(b"method: gpo" in written for written in files.values()) == [False, False, True]
    assert not any(KEY.encode() in written for written in files.values())
    assert sums.requests
