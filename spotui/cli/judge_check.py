"""spotui judge-check TEMPLATE."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.view.figures import plural, usd

if TYPE_CHECKING:
    from spotui.run.calibration import Calibration, Tally
    from spotui.settings.run_settings import RunSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `judge-check` takes: the settings of the run that is planned."""
    parser.add_argument("template", metavar="TEMPLATE", help="a YAML file, or the name of a bundled example")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--yes", "-y", action="store_true", help="fetch a missing embedded model without asking"
    )
    options.add_settings(parser)


def main(parsed: argparse.Namespace) -> int:
    """Let the judge compare answers with damaged copies, and print how often it is right."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.launch import Launcher
    from spotui.resources import find_template
    from spotui.template.read import parse_template, read_text

    path = find_template(parsed.template)
    text = read_text(path)
    launcher = Launcher()
    settings = launcher.settings(options.flags(parsed), parse_template(text, path.name)).settings
    launcher.connector(settings).check_budget()
    fetch_missing_models(settings, yes=parsed.yes)
    found = asyncio.run(launcher.calibrate(text, settings, template_path=path))
    if parsed.json:
        import msgspec

        print(msgspec.json.encode(_as_json(settings, found)).decode())
    else:
        _print(settings, found)
    return exit_codes.OK if found.is_fit else exit_codes.NO_IMPROVEMENT


def _print(settings: "RunSettings", found: "Calibration") -> None:
    from spotui.judging.naming import judge_in_words

    judge = judge_in_words(settings.judge, settings.judge_unit, json=settings.judge_json)
    print(f"{' + '.join(settings.panel)}: {judge}")
    for kind, tally in found.kinds.items():
        print(f"  {kind.replace('_', ' '):13} {_in_words(tally)}")
    for kind in found.skipped:
        print(f"  {kind.replace('_', ' '):13} skipped: it would change nothing in these answers")
    print(f"In all: {_in_words(found.total)}.")
    record = found.panel.together
    if record.flip_rate is not None:
        print(f"The order decided in {record.flips} of {plural(record.pairs, 'pair')} of votes.")
    if found.panel.agreement is not None:
        print(f"The judges agreed in {found.panel.agreed} of {plural(found.panel.compared, 'comparison')}.")
    spent = found.spending
    print(f"Spent: {plural(spent.calls, 'call')}, {usd(spent.cost_usd, spent.unpriced)}.")
    if found.panel.warning:
        print(f"spotui: {found.panel.warning}", file=sys.stderr)
    if not found.is_fit:
        print("This judge is not fit for a run: choose another evaluator or another --judge.")


def _in_words(tally: "Tally") -> str:
    if tally.accuracy is None or tally.accuracy_interval is None:
        return "no votes"
    low, high = tally.accuracy_interval
    wrong = f", wrong in {tally.wrong}" if tally.wrong else ""
    void = f", {tally.voids} void" if tally.voids else ""
    share = f"{tally.accuracy:.0%} ({low:.0%} to {high:.0%})"
    return f"right in {tally.right} of {tally.votes} votes, {share}{wrong}{void}"


def _as_json(settings: "RunSettings", found: "Calibration") -> dict[str, object]:
    record = found.panel.together
    return {
        "judge": settings.judge,
        "models": settings.panel,
        "fit": found.is_fit,
        **_tally_as_json(found.total),
        "kinds": {kind: _tally_as_json(tally) for kind, tally in found.kinds.items()},
        "skipped": found.skipped,
        "pairs": record.pairs,
        "flips": record.flips,
        "flip_rate": record.flip_rate,
        "flip_interval": record.flip_interval,
        "compared": found.panel.compared,
        "agreed": found.panel.agreed,
        "agreement": found.panel.agreement,
        "warning": found.panel.warning,
        "calls": found.spending.calls,
        "cost_usd": None if found.spending.unpriced else found.spending.cost_usd,
    }


def _tally_as_json(tally: "Tally") -> dict[str, object]:
    return {
        "votes": tally.votes,
        "right": tally.right,
        "wrong": tally.wrong,
        "voids": tally.voids,
        "accuracy": tally.accuracy,
        "accuracy_interval": tally.accuracy_interval,
    }
