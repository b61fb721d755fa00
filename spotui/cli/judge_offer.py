"""What checking a run's judge would take, and what an earlier check has found; asks no model."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from spotui.expected import Estimate
    from spotui.launch import Launcher
    from spotui.settings.run_settings import RunSettings
    from spotui.template import Template
    from spotui.workspace.judge_checks import JudgeCheck


class JudgeOffer(NamedTuple):
    """A check that could be made.

    Attributes:
        settings: What it would be made with.
        expected: What it would take.
        known: The newest check of this judge, on this template if there is one, or None.
        method: The name of the run's method when it compares no answers; empty when it does.
    """

    settings: "RunSettings"
    expected: "Estimate"
    known: "JudgeCheck | None"
    method: str

    def as_json(self) -> dict[str, object]:
        """The same for a program."""
        from spotui.cli.fetching import missing_models

        return {
            "judge": self.settings.judge,
            "models": self.settings.panel,
            "compares": not self.method,
            "calls": self.expected.calls,
            "tokens": self.expected.tokens,
            "usd": self.expected.usd,
            "seconds": self.expected.seconds,
            "missing": [one.model_id for one in missing_models(self.settings)],
            "warnings": self.expected.warnings,
            "known": self.known,
        }


def judge_offer(
    launcher: "Launcher", template: "Template", path: "Path", settings: "RunSettings", method: str | None
) -> JudgeOffer:
    """Find out about the judge of a run.

    Args:
        launcher: What runs are made with.
        template: What the run works on.
        path: Its file.
        settings: Of the run.
        method: Its method, or None for that of the template.

    Raises:
        SpotuiError: The template's rows or a model cannot be used.
    """
    from spotui import locations
    from spotui.estimate_check import estimate_judge_check
    from spotui.methods import DEFAULT_METHOD, load_method
    from spotui.workspace.judge_checks import recall_check

    name = method or template.method or DEFAULT_METHOD
    alone = settings.asking("evaluator", "executor")
    return JudgeOffer(
        alone,
        estimate_judge_check(template, path.parent, alone, launcher.connector(alone)),
        recall_check(locations.judge_checks_dir(), launcher.judge_of(alone), path.stem),
        name if load_method(name).scores else "",
    )
