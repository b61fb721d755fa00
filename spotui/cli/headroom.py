"""spotui headroom TEMPLATE."""

import argparse
import asyncio
import shlex
import sys
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.measuring import Progress, add_output, expected_json, print_expected, write_json
from spotui.cli.trusting import add_trust, settle_trust
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import gained, percent, points, usd
from spotui.lang import _, as_asked, ngettext
from spotui.settings.table import Group

if TYPE_CHECKING:
    from spotui.runs.estimate import Estimate
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared
    from spotui.workspace.headroom_file import Headroom, Probed
    from spotui.workspace.projects import Workspace


def add_headroom_arguments(parser: argparse.ArgumentParser) -> None:
    """What `headroom` takes: the settings of the run that is planned."""

    parser.add_argument(
        "template", metavar="TEMPLATE", help=_("a YAML file, or the name of your template or of an example")
    )
    parser.add_argument(
        "--estimate", action="store_true", help=_("only show what it would take; ask no model")
    )
    add_output(parser)
    options.add_yes(parser)
    add_trust(parser)
    options.add_workspace(parser)
    options.add_method(parser)
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


def headroom_command(parsed: argparse.Namespace) -> int:
    """Compare simple probes with the seed, and print whether a better prompt is worth looking for."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.runs.launch import Launcher
    from spotui.settings.resources import find_template

    launcher, path = Launcher(), find_template(parsed.template)
    prepared, workspace = options.prepare(launcher, path, parsed, "headroom"), options.workspace(parsed)
    expected = _expected(launcher, prepared, workspace)
    if parsed.estimate:
        return _show_offer(parsed, prepared, workspace, expected)
    settle_trust(parsed, launcher, prepared)
    connections = launcher.connections(prepared.settings)
    fetch_missing_models(prepared.settings, yes=parsed.yes)
    from spotui.cli.conduct import quiet_limits
    from spotui.llm.limits import Halted
    from spotui.runs.headroom import measure_headroom

    tell = Progress(expected.calls, as_lines=parsed.json_lines)
    quiet_limits()
    try:
        found = asyncio.run(measure_headroom(prepared, workspace, connections, tell))
    except Halted as halt:
        tell.end()
        text = _("spotui: {cause} The answers so far are kept; the same command resumes.", cause=halt.cause)
        print(text, file=sys.stderr)
        codes = {"budget": exit_codes.BUDGET, "unmarked": exit_codes.UNMARKED}
        return codes.get(halt.reason, exit_codes.CALL_FAILED)
    tell.end()
    command = _command(parsed, found)
    if parsed.json or parsed.json_lines:
        write_json({**_as_json(found), "command": command})
    else:
        _print(found, command)
    return exit_codes.OK if found.found else exit_codes.NO_HEADROOM


def _expected(launcher: "Launcher", prepared: "Prepared", workspace: "Workspace") -> "Estimate":
    from spotui.runs.estimate import estimate_headroom
    from spotui.workspace.paces import measured_paces

    paces = measured_paces(workspace, prepared.settings.models)
    return estimate_headroom(prepared, launcher.connector(prepared.settings), paces)


def _show_offer(
    parsed: argparse.Namespace, prepared: "Prepared", workspace: "Workspace", expected: "Estimate"
) -> int:
    """Print what it would take, and what is known of an earlier time."""
    from spotui.cli.fetching import missing_models
    from spotui.runs.headroom.plan import is_by_rows
    from spotui.runs.snapshots import kept_as
    from spotui.workspace.headroom_file import read_headroom

    known: Headroom | None = None
    try:
        known = read_headroom(workspace.measured(kept_as(prepared)))
    except SpotuiError as error:  # it can be measured again
        expected = expected.warning(error.what)
    if known is not None and known.prompt != prepared.template.prompt:
        known = None
    if parsed.json or parsed.json_lines:
        write_json(
            {
                **expected_json(expected),
                "by": "rows" if is_by_rows(prepared) else "duels",
                "missing": [one.model_id for one in missing_models(prepared.settings)],
                "known": None if known is None else _as_json(known),
            }
        )
        return exit_codes.OK
    print_expected(expected)
    if known is not None:
        print(verdict(known))
    return exit_codes.OK


def _as_json(headroom: "Headroom") -> dict[str, object]:
    import msgspec

    data: dict[str, object] = msgspec.to_builtins(headroom, enc_hook=as_asked)
    return {**data, "verdict": verdict(headroom), "start_from_probes": bool(headroom.winners)}


def _command(parsed: argparse.Namespace, headroom: "Headroom") -> str:
    """The run to start, with the settings that were typed."""
    from spotui.settings.table import option

    if not headroom.found:
        return ""
    words = [
        "spotui",
        "run",
        parsed.template,
        "--method",
        headroom.method,
        f"--budget-calls={headroom.budget}",
    ]
    words += ["--start-from-probes"] if headroom.winners else []
    for name, value in options.flags(parsed).items():
        if name == "budget_calls":
            continue
        if value is False:
            words.append(f"--no-{option(name).removeprefix('--')}")
        else:
            words.append(option(name) if value is True else f"{option(name)}={value}")
    words += [f"--set={one}" for one in parsed.set if headroom.method == parsed.method]
    words += [f"--workspace={parsed.workspace}"] if parsed.workspace else []
    return shlex.join(words)


def verdict(headroom: "Headroom") -> str:
    """The result in a sentence or two."""
    best = headroom.winners[0] if headroom.winners else None
    if headroom.by == "duels":
        return _verdict_of_duels(headroom, best)
    if headroom.found and best is not None:
        return _("There is headroom: {best}.", best=_gain(best))
    first = next(iter(headroom.probes), None)
    if first is None or first.interval is None:
        return _("No headroom: no probe could be compared with the seed.")
    high = points(max(0.0, first.interval[1]))
    return _(
        "No headroom: no probe is better than the seed beyond chance. The best one: {best}; a gain above "
        "{high} points is unlikely.",
        best=_gain(first),
        high=high,
    )


def _gain(best: "Probed") -> str:
    low, high = best.interval or (best.gain, best.gain)
    return ngettext(
        "'{name}' gains {gain} on {n:,} row",
        "'{name}' gains {gain} on {n:,} rows",
        best.rows,
        name=best.name,
        gain=gained(best.gain, (low, high)),
    )


def _verdict_of_duels(headroom: "Headroom", best: "Probed | None") -> str:
    if best is None or best.interval is None:
        return _("No headroom: the judge prefers no probe's answers to the seed's.")
    low, high = (percent(0.5 + end) for end in best.interval)
    figures = _(
        "'{name}' is better on {wins} questions and worse on {losses}: win rate {rate} "
        "(95% CI {low} to {high})",
        name=best.name,
        wins=best.wins,
        losses=best.losses,
        rate=percent(0.5 + best.gain),
        low=low,
        high=high,
    )
    if not headroom.found:
        return _("No headroom: {figures}.", figures=figures)
    if not headroom.is_sure:
        return _(
            "There may be headroom: {figures}. So few questions prove nothing: add more.", figures=figures
        )
    return _("There is headroom: {figures}.", figures=figures)


def _print(headroom: "Headroom", command: str) -> None:
    if headroom.score is not None and headroom.score_interval is not None:
        low, high = map(points, headroom.score_interval)
        print(
            ngettext(
                "seed: {score} ({low} to {high}) on {n:,} row",
                "seed: {score} ({low} to {high}) on {n:,} rows",
                headroom.rows,
                score=points(headroom.score),
                low=low,
                high=high,
            )
        )
    print(noise(headroom))
    for one in headroom.probes:
        print(f"  {_line(headroom, one)}")
    for name in headroom.left_out:
        print(_("  {name:12} left out: it cannot apply to this template", name=name))
    print(verdict(headroom))
    if command:
        print(
            ngettext(
                "Suggested: {method} with {n:,} call.",
                "Suggested: {method} with {n:,} calls.",
                headroom.budget,
                method=headroom.method,
            )
        )
        print(f"  {command}")
    cost = usd(headroom.cost_usd, headroom.unpriced, estimated=headroom.estimated)
    print(
        ngettext(
            "Bought: {n:,} call, {cost}; what was known before cost nothing.",
            "Bought: {n:,} calls, {cost}; what was known before cost nothing.",
            headroom.calls,
            cost=cost,
        ),
        file=sys.stderr,
    )


def noise(headroom: "Headroom") -> str:
    """The noise in a sentence or two: the seed against itself, and the A/A floor."""
    repeated = headroom.repeated
    if headroom.by == "duels":
        return ngettext(
            "noise: the seed against itself gets {n} vote, {changed} of which choose a side",
            "noise: the seed against itself gets {n} votes, {changed} of which choose a side",
            repeated.rows,
            changed=repeated.changed,
        )
    text = ngettext(
        "noise: asked twice, the seed gets another mark on {changed} of {n} row",
        "noise: asked twice, the seed gets another mark on {changed} of {n} rows",
        repeated.rows,
        changed=repeated.changed,
    )
    if headroom.floor is None:
        return text
    return _("{text}; the A/A floor is {floor} points", text=text, floor=points(headroom.floor))


def _line(headroom: "Headroom", probed: "Probed") -> str:
    """One probe in the table."""
    if headroom.by == "duels":
        return _(
            "{name:12} {wins} votes or questions for it, {losses} against: {change}",
            name=probed.name,
            wins=probed.wins,
            losses=probed.losses,
            change=_(probed.change),
        )
    return ngettext(
        "{name:12} {gain:>6} on {n:,} row: {change}",
        "{name:12} {gain:>6} on {n:,} rows: {change}",
        probed.rows,
        name=probed.name,
        gain=f"{100 * probed.gain:+.1f}",
        change=_(probed.change),
    )
