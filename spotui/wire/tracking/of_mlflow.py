"""Runs in MLflow: parameters, figures by round, candidates and the best prompt as artefacts.

A race, a sweep or a migration is a parent run, in which the others are nested.
"""

import os
import re
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from spotui.lang import _
from spotui.wire.tracking import TrackedEnd, TrackedRound, TrackedRun, missing_package

_URI: Final = "MLFLOW_TRACKING_URI"
_EXPERIMENT: Final = "MLFLOW_EXPERIMENT_NAME"
_RUN_TAG: Final = "spotui.run"
_ROUND_TAG: Final = "spotui.rounds"
_GROUP_TAG: Final = "spotui.group"
_PARENT_TAG: Final = "mlflow.parentRunId"
_LONGEST_PARAMETER: Final = 500
_LONGEST_TAG: Final = 5000
_MOST_AT_ONCE: Final = 100
"""Parameters or tags that MLflow takes in one request; of figures it takes more."""

_NO_TAGS: Final[Mapping[str, str]] = {}
_STATUS: Final = {"stopped": "KILLED", "waiting": "SCHEDULED"}
"""MLflow's words for stop reasons after which a run is resumed; the others have ended it."""

_NOT_IN_NAMES: Final = re.compile(r"[^\w\-. /]")

_nested: dict[str, dict[str, tuple[str, int]]] = {}
"""For the `run` of each group that this process has begun, the runs in it: MLflow's id by the `run`, and the
last round. A folder takes as long to find one run as to list all, and a sweep has many."""


class MlflowTracker:
    """Reports to the server, or the folder, that MLFLOW_TRACKING_URI names."""

    def __init__(self) -> None:
        self._client: Any = None
        self._experiment = self._run = self._group = self._name = ""

    def fault(self) -> tuple[str, str]:
        """See `Tracker.fault`."""
        if not os.environ.get(_URI):
            return (
                _("{variable} is not set, so MLflow cannot be reached.", variable=_URI),
                _(
                    "Set it to the address of the server, or to a folder, e.g. file:///home/me/mlruns, and "
                    "then MLFLOW_ALLOW_FILE_STORE=true, too."
                ),
            )
        return missing_package("mlflow")

    def begin(self, run: TrackedRun) -> int:
        """See `Tracker.begin`: a run with the same tag is taken up again."""
        self._client = import_module("mlflow").MlflowClient(tracking_uri=os.environ[_URI])
        name = os.environ.get(_EXPERIMENT) or "spotui"
        found = self._client.get_experiment_by_name(name)
        self._experiment = found.experiment_id if found is not None else self._client.create_experiment(name)
        self._name, self._group = run.run, run.group.run if run.group is not None else ""
        if self._group == run.run:
            _nested[self._group] = {
                one.data.tags.get(_RUN_TAG, ""): _taken_up(one) for one in self._tagged(_GROUP_TAG, run.run)
            }
        earlier = self._earlier(run.run)
        if earlier is not None:
            self._run, known = earlier
            self._client.update_run(self._run, status="RUNNING")
            return known
        parent = None if self._group in ("", run.run) else self._earlier(self._group)
        tags = {
            **{f"spotui.{name}": tag for name, tag in run.tags.items()},
            **({_GROUP_TAG: self._group} if self._group else {}),
            **({_PARENT_TAG: parent[0]} if parent is not None else {}),
            _RUN_TAG: run.run,
            _ROUND_TAG: "0",
            "spotui.project": run.project,
            "spotui.kind": run.kind,
        }
        short = {key: tag[:_LONGEST_TAG] for key, tag in tags.items()}
        made = self._client.create_run(self._experiment, tags=short, run_name=run.project)
        self._run = made.info.run_id
        self._remember(0)
        facts = {"method": run.method, **{f"model {role}": model for role, model in run.models.items()}}
        self._log_facts({**(facts if run.method else {}), **run.facts})
        if run.prompt:
            self._client.log_text(self._run, run.prompt, "seed_prompt.txt")
        return 0

    def round(self, ended: TrackedRound) -> None:
        """See `Tracker.round`."""
        tags = {_ROUND_TAG: str(ended.round), "spotui.best": str(ended.best)}
        text = f"{ended.outcome}: {ended.modification}\n\n{ended.prompt}\n"
        self._client.log_text(self._run, text, f"candidates/round_{ended.round:04}.txt")
        self._log_figures(self._run, ended.figures, step=ended.round, tags=tags)
        self._remember(ended.round)

    def end(self, ending: TrackedEnd) -> None:
        """See `Tracker.end`."""
        for path in ending.files:
            self._client.log_artifact(self._run, str(path))
        if ending.table is not None:
            self._client.log_text(self._run, ending.table.as_csv, "table.csv")
        tags = {
            "spotui.end": f"{ending.reason}: {ending.cause}"[:_LONGEST_PARAMETER],
            **{f"spotui.{name}": fact[:_LONGEST_TAG] for name, fact in ending.facts.items()},
        }
        self._log_figures(self._run, _final(ending.figures), tags=tags)
        status = "FAILED" if ending.is_failed else _STATUS.get(ending.reason, "FINISHED")
        self._client.set_terminated(self._run, status)

    def add(self, run: str, figures: Mapping[str, float]) -> None:
        """See `AddsFigures.add`."""
        if (found := self._earlier(run)) is not None:
            self._log_figures(found[0], _final(figures))

    def _tagged(self, tag: str, value: str) -> list[Any]:
        found: list[Any] = []
        page = None
        while True:
            some = self._client.search_runs(
                [self._experiment], f"tags.`{tag}` = '{value}'", max_results=1000, page_token=page
            )
            found += some
            page = some.token
            if not page:
                return found

    def _earlier(self, run: str) -> tuple[str, int] | None:
        """MLflow's id of a run, and its last round; None where it has none."""
        group = _nested.get(self._group)
        if group is not None and run in group:
            return group[run]
        if group is not None and run != self._group:
            return None
        tagged = self._tagged(_RUN_TAG, run)
        if not tagged:
            return None
        found = _taken_up(tagged[0])
        if group is not None:
            group[run] = found
        return found

    def _remember(self, rounds: int) -> None:
        if self._group in _nested:
            _nested[self._group][self._name] = self._run, rounds

    def _log_facts(self, facts: Mapping[str, Any]) -> None:
        param = import_module("mlflow.entities").Param
        given = [param(_name(key), str(value)[:_LONGEST_PARAMETER]) for key, value in facts.items()]
        for first in range(0, len(given), _MOST_AT_ONCE):
            self._client.log_batch(self._run, params=given[first : first + _MOST_AT_ONCE])

    def _log_figures(
        self, run: str, figures: Mapping[str, float], *, step: int = 0, tags: Mapping[str, str] = _NO_TAGS
    ) -> None:
        entities = import_module("mlflow.entities")
        now = int(time.time() * 1000)
        metrics = [entities.Metric(_name(name), value, now, step) for name, value in figures.items()]
        given = [entities.RunTag(_name(name), tag) for name, tag in tags.items()]
        for first in range(0, max(1, len(metrics)), _MOST_AT_ONCE):
            some = metrics[first : first + _MOST_AT_ONCE]
            self._client.log_batch(run, metrics=some, tags=given if first == 0 else [])


def _taken_up(run: Any) -> tuple[str, int]:
    return run.info.run_id, int(run.data.tags.get(_ROUND_TAG, "0"))


def _final(figures: Mapping[str, float]) -> dict[str, float]:
    return {f"final {name}": value for name, value in figures.items()}


def _name(name: str) -> str:
    """A name as MLflow takes it."""
    return _NOT_IN_NAMES.sub("_", name)
