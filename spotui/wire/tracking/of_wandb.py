"""Runs in Weights & Biases: configuration, figures by round, a table of candidates, files as an artefact.

What stands for a race, a sweep or a migration is a run in the same group as those that it consists of.
"""

import netrc
import os
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from spotui.lang import _
from spotui.wire.tracking import TrackedEnd, TrackedRound, TrackedRun, missing_package

_KEY: Final = "WANDB_API_KEY"
_OFFLINE: Final = frozenset({"offline", "dryrun", "disabled"})
_COLUMNS: Final = ("round", "outcome", "modification", "prompt")
_LONGEST_TAG: Final = 64
_UNTOLD: Final = {
    "reinit": "create_new",  # several runs of a sweep work at once
    "console": "off",
    "silent": True,
    "save_code": False,
    "disable_code": True,
    "disable_git": True,
    "x_save_requirements": False,
    "x_disable_meta": True,  # it would hold the command line, in which a header may be
}
"""Settings that keep W&B from printing, and from sending what is not about the run; and one about runs."""


class WandbTracker:
    """Reports to the project that WANDB_PROJECT names, or to `spotui`."""

    def __init__(self) -> None:
        self._package: Any = None
        self._run: Any = None
        self._project = ""
        self._candidates: list[list[Any]] = []

    def fault(self) -> tuple[str, str]:
        """See `Tracker.fault`."""
        what, hint = missing_package("wandb")
        if what:
            return what, hint
        if _is_offline() or os.environ.get(_KEY) or _is_logged_in():
            return "", ""
        return (
            _("{variable} is not set, so Weights & Biases cannot be reached.", variable=_KEY),
            _("Set it, log in with `wandb login`, or set WANDB_MODE=offline."),
        )

    def begin(self, run: TrackedRun) -> int:
        """See `Tracker.begin`: a run with the same id is taken up again."""
        self._package = import_module("wandb")
        self._package.setup(self._package.Settings(silent=True))  # the login would print a line
        group = run.group
        described = {
            "method": run.method,
            "seed prompt": run.prompt,
            **{f"model {role}": model for role, model in run.models.items()},
        }
        self._run = self._package.init(
            project=os.environ.get("WANDB_PROJECT") or "spotui",
            id=run.run,
            name=run.project,
            group=f"{group.name}-{group.run[:8]}" if group is not None else None,
            resume="allow",
            job_type=run.method or run.kind,
            tags=[f"{name}: {tag}"[:_LONGEST_TAG] for name, tag in run.tags.items()] or None,
            config={**{name: fact for name, fact in described.items() if fact}, **run.tags, **run.facts},
            settings=self._package.Settings(**_UNTOLD),
        )
        self._project = str(self._run.path).rpartition("/")[0]
        known = 0
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            known = int(self._run.summary["round"])
        return known

    def round(self, ended: TrackedRound) -> None:
        """See `Tracker.round`."""
        figures = {"round": ended.round, "best": ended.best, **ended.figures}
        self._run.log(figures, step=ended.round)
        self._candidates.append([ended.round, ended.outcome, ended.modification, ended.prompt])

    def end(self, ending: TrackedEnd) -> None:
        """See `Tracker.end`."""
        for name, value in {**_final(ending.figures), **ending.facts}.items():
            self._run.summary[name] = value
        self._run.summary["end"] = f"{ending.reason}: {ending.cause}"
        if self._candidates:
            first = self._candidates[0][0]  # those before are in the table of an earlier session
            name = "candidates" if first == 1 else f"candidates from round {first}"
            table = self._package.Table(columns=list(_COLUMNS), data=self._candidates)
            self._run.log({name: table})
        if (found := ending.table) is not None:
            rows = [list(row) for row in found.rows]
            self._run.log({"table": self._package.Table(columns=list(found.columns), data=rows)})
        if ending.files:
            artefact = self._package.Artifact(f"prompt-{self._run.id}", type="prompt")
            for path in ending.files:
                artefact.add_file(str(path))
            self._run.log_artifact(artefact)
        self._run.finish(exit_code=int(ending.is_failed))

    def add(self, run: str, figures: Mapping[str, float]) -> None:
        """See `AddsFigures.add`; a run that was written offline cannot be reached, and its table has them."""
        if _is_offline():
            return
        found = self._package.Api().run(f"{self._project}/{run}")
        found.summary.update(_final(figures))


def _final(figures: Mapping[str, float]) -> dict[str, float]:
    return {f"final {name}": value for name, value in figures.items()}


def _is_offline() -> bool:
    return os.environ.get("WANDB_MODE", "").lower() in _OFFLINE


def _is_logged_in() -> bool:
    """Whether `wandb login` has left a key for the server."""
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname or ""
    with suppress(OSError, netrc.NetrcParseError):
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    return False
