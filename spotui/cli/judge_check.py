"""spotui judge-check TEMPLATE."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, NamedTuple

from spotui.cli import exit_codes, options
from spotui.cli.judge_labels import add_label_arguments, check_against_labels, refuse_without_labels
from spotui.cli.measuring import Progress, add_output, expected_json, print_expected, write_json
from spotui.cli.trusting import add_trust, settle_trust
from spotui.domain.figures import percent, usd
from spotui.lang import _, ngettext
from spotui.settings.table import Group

if TYPE_CHECKING:
    from spotui.runs.estimate import Estimate
    from spotui.runs.judge_check import Calibration, Tally
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared
    from spotui.settings.table import RunSettings
    from spotui.workspace.judge_checks import JudgeCheck


def add_judge_check_arguments(parser: argparse.ArgumentParser) -> None:
    """What `judge-check` takes: the settings of the run that is planned."""
    parser.add_argument(
        "template", metavar="TEMPLATE", help=_("a YAML file, or the name of your template or of an example")
    )
    parser.add_argument(
        "--estimate",
        action="store_true",
        help=_("only tell what it would take, and what is known; ask no model"),
    )
    add_output(parser)
    options.add_yes(parser)
    add_trust(parser)
    add_label_arguments(parser)
    parser.add_argument(
        "--method", metavar="NAME", help=_("the method of the run, to see whether it uses a judge")
    )
    options.add_settings(
        parser,
        Group.PROMPT,
        Group.QUESTIONS,
        Group.SEED,
        Group.JUDGE,
        Group.BUDGET,
        Group.CALLS,
        Group.BATCHES,
        Group.MODELS,
        Group.OPTIMIZER,
        Group.EVALUATOR,
        Group.EXECUTOR,
    )


def judge_check_command(parsed: argparse.Namespace) -> int:
    """Let the judge compare answers with damaged copies, and print how often it is right."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.runs.launch import Launcher
    from spotui.settings.resources import find_template

    refuse_without_labels(parsed)
    launcher, path = Launcher(), find_template(parsed.template)
    if parsed.labels:
        return check_against_labels(parsed, launcher, path)
    prepared = options.prepare(launcher, path, parsed, "judge-check")
    offer, settings = judge_offer(launcher, prepared), prepared.settings
    if parsed.estimate:
        if parsed.json or parsed.json_lines:
            write_json(offer.as_json())
        else:
            _print_offer(offer)
        return exit_codes.OK
    from spotui.runs.judge_check import check_judge

    connector = launcher.connector(settings)
    settle_trust(parsed, launcher, prepared)
    connector.check_budget()
    fetch_missing_models(settings, yes=parsed.yes)
    tell = Progress(offer.expected.calls, as_lines=parsed.json_lines)
    try:
        found = asyncio.run(check_judge(prepared, connector, tell))
    finally:
        tell.end()
    if parsed.json or parsed.json_lines:
        write_json(_as_json(settings, found))
    else:
        _print(settings, found, offer.method)
    return exit_codes.OK if found.is_fit else exit_codes.NO_IMPROVEMENT


def _print_offer(offer: "JudgeOffer") -> None:
    print(title_of(offer.settings))
    print_expected(offer.expected)
    _note(offer.method)
    known = offer.known
    if known is None:
        print(_("This judge has not been checked yet."))
    else:
        figures = {"template": known.template, "settled": known.settled, "comparisons": known.comparisons}
        print(
            _(
                "Checked on {template}: right in {settled} of {comparisons}; the order decided in {flips} of "
                "{pairs}.",
                **figures,
                flips=known.flips,
                pairs=known.pairs,
            )
            if known.pairs
            else _("Checked on {template}: right in {settled} of {comparisons}.", **figures)
        )


def title_of(settings: "RunSettings") -> str:
    """The judge's models and its kind."""
    from spotui.judging.votes import judge_in_words

    judge = judge_in_words(settings.judge, settings.judge_unit, json=settings.judge_json)
    return f"{' + '.join(settings.panel)}: {judge}"


def _note(method: str) -> None:
    if method:
        print(
            _(
                "{method} marks each answer alone and compares none: this is about the judge of spo.",
                method=method,
            )
        )


def _print(settings: "RunSettings", calibration: "Calibration", method: str) -> None:
    print(title_of(settings))
    _note(method)
    for kind, tally in calibration.by_kind.items():
        print(f"  {kind.replace('_', ' '):13} {_in_words(tally)}")
    for kind in calibration.skipped:
        print(_("  {kind:13} skipped: it would change nothing in these answers", kind=kind.replace("_", " ")))
    print(_("In all: {in_words}.", in_words=_in_words(calibration.total)))
    if calibration.total.comparisons:
        print(
            ngettext(
                "All votes on it together, it is right in {settled:,} of {n:,} comparison.",
                "All votes on it together, it is right in {settled:,} of {n:,} comparisons.",
                calibration.total.comparisons,
                settled=calibration.total.settled,
            )
        )
    record = calibration.panel.together
    if record.flip_rate is not None:
        print(
            ngettext(
                "The order decided in {flips} of {n:,} pair of votes.",
                "The order decided in {flips} of {n:,} pairs of votes.",
                record.pairs,
                flips=record.flips,
            )
        )
    if calibration.panel.agreement is not None:
        print(
            ngettext(
                "The judges agreed in {agreed} of {n:,} comparison.",
                "The judges agreed in {agreed} of {n:,} comparisons.",
                calibration.panel.compared,
                agreed=calibration.panel.agreed,
            )
        )
    spent = calibration.spending
    cost = usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated)
    print(ngettext("Spent: {n:,} call, {cost}.", "Spent: {n:,} calls, {cost}.", spent.calls, cost=cost))
    if calibration.panel.warning:
        print(f"spotui: {calibration.panel.warning}", file=sys.stderr)
    if not calibration.is_fit:
        print(_("This judge is not fit for a run: choose another evaluator or another --judge."))


def _in_words(tally: "Tally") -> str:
    if tally.accuracy is None or tally.accuracy_interval is None:
        return _("no votes")
    low, high = tally.accuracy_interval
    return _(
        "right in {right} of {votes} votes, {share} ({low} to {high}), wrong in {wrong}, void in {voids}",
        right=tally.right,
        votes=tally.votes,
        share=percent(tally.accuracy),
        low=percent(low),
        high=percent(high),
        wrong=tally.wrong,
        voids=tally.voids,
    )


def _as_json(settings: "RunSettings", calibration: "Calibration") -> dict[str, object]:
    record = calibration.panel.together
    return {
        "judge": settings.judge,
        "models": settings.panel,
        "fit": calibration.is_fit,
        **_tally_as_json(calibration.total),
        "kinds": {kind: _tally_as_json(tally) for kind, tally in calibration.by_kind.items()},
        "skipped": calibration.skipped,
        "pairs": record.pairs,
        "flips": record.flips,
        "flip_rate": record.flip_rate,
        "flip_interval": record.flip_interval,
        "compared": calibration.panel.compared,
        "agreed": calibration.panel.agreed,
        "agreement": calibration.panel.agreement,
        "warning": calibration.panel.warning,
        "calls": calibration.spending.calls,
        "cost_usd": None if calibration.spending.unpriced else calibration.spending.cost_usd,
        "estimated": calibration.spending.estimated,
    }


def _tally_as_json(tally: "Tally") -> dict[str, object]:
    return {
        "votes": tally.votes,
        "right": tally.right,
        "wrong": tally.wrong,
        "voids": tally.voids,
        "comparisons": tally.comparisons,
        "settled": tally.settled,
        "mistaken": tally.mistaken,
        "accuracy": tally.accuracy,
        "accuracy_interval": tally.accuracy_interval,
    }


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
            **expected_json(self.expected),
            "missing": [one.model_id for one in missing_models(self.settings)],
            "known": self.known,
        }


def judge_offer(launcher: "Launcher", prepared: "Prepared") -> JudgeOffer:
    """Find out about the judge of a run.

    Args:
        launcher: The config file and the environment.
        prepared: What was prepared for a judge-check.

    Raises:
        SettingsError: The endpoint of a model is unknown.
    """
    from spotui.runs.estimate import estimate_judge_check
    from spotui.runs.judge_check import judge_of
    from spotui.settings import locations
    from spotui.workspace.judge_checks import recall_check

    settings, connector = prepared.settings, launcher.connector(prepared.settings)
    folder = locations.judge_checks_dir()
    return JudgeOffer(
        settings,
        estimate_judge_check(prepared, connector),
        recall_check(folder, judge_of(settings, connector), prepared.path.stem),
        prepared.name if prepared.method.scores else "",
    )
