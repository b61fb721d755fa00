"""Runs in MLflow: parameters, figures by round, candidates and the best prompt as artefacts."""

import os
import re
from importlib import import_module
from typing import Any, Final

from spotui.lang import _
from spotui.wire.tracking import TrackedEnd, TrackedRound, TrackedRun, missing_package

_URI: Final = "MLFLOW_TRACKING_URI"
_EXPERIMENT: Final = "MLFLOW_EXPERIMENT_NAME"
_RUN_TAG: Final = "spotui.run"
_ROUND_TAG: Final = "spotui.rounds"
_LONGEST_PARAMETER: Final = 500
_NOT_IN_NAMES: Final = re.compile(r"[^\w\-. /]")


class MlflowTracker:
    """Reports to the server, or the folder, that MLFLOW_TRACKING_URI names."""

    def __init__(self) -> None:
        self._client: Any = None
        self._run = ""

    def fault(self) -> tuple[str, str]:
        """See `Tracker.fault`."""
        if not os.environ.get(_URI):
            return (
                _("{variable} is not set, so MLflow cannot be reached.", variable=_URI),
                _("Set it to the address of the server, or to a folder, e.g. file:///home/me/mlruns."),
            )
        return missing_package("mlflow")

    def begin(self, run: TrackedRun) -> int:
        """See `Tracker.begin`: a run with the same tag is taken up again."""
        self._client = import_module("mlflow").MlflowClient(tracking_uri=os.environ[_URI])
        name = os.environ.get(_EXPERIMENT) or "spotui"
        found = self._client.get_experiment_by_name(name)
        experiment = found.experiment_id if found is not None else self._client.create_experiment(name)
        earlier = self._client.search_runs([experiment], f"tags.`{_RUN_TAG}` = '{run.run}'", max_results=1)
        if earlier:
            self._run = earlier[0].info.run_id
            self._client.set_terminated(self._run, "RUNNING")
            return int(earlier[0].data.tags.get(_ROUND_TAG, "0"))
        tags = {_RUN_TAG: run.run, _ROUND_TAG: "0", "spotui.project": run.project}
        self._run = self._client.create_run(experiment, tags=tags, run_name=run.project).info.run_id
        facts = {"method": run.method, **{f"model {role}": model for role, model in run.models.items()}}
        for key, value in {**facts, **run.facts}.items():
            self._client.log_param(self._run, _name(key), str(value)[:_LONGEST_PARAMETER])
        self._client.log_text(self._run, run.prompt, "seed_prompt.txt")
        return 0

    def round(self, ended: TrackedRound) -> None:
        """See `Tracker.round`."""
        for name, value in ended.figures.items():
            self._client.log_metric(self._run, _name(name), value, step=ended.round)
        text = f"{ended.outcome}: {ended.modification}\n\n{ended.prompt}\n"
        self._client.log_text(self._run, text, f"candidates/round_{ended.round:04}.txt")
        self._client.set_tag(self._run, _ROUND_TAG, str(ended.round))
        self._client.set_tag(self._run, "spotui.best", str(ended.best))

    def end(self, ending: TrackedEnd) -> None:
        """See `Tracker.end`."""
        for name, value in ending.figures.items():
            self._client.log_metric(self._run, f"final {_name(name)}", value)
        for path in ending.files:
            self._client.log_artifact(self._run, str(path))
        self._client.set_tag(self._run, "spotui.end", f"{ending.reason}: {ending.cause}"[:_LONGEST_PARAMETER])
        self._client.set_terminated(self._run, "FAILED" if ending.is_failed else "FINISHED")


def _name(name: str) -> str:
    """A name as MLflow takes it."""
    return _NOT_IN_NAMES.sub("_", name)
