"""spotui prune NAME."""

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.cli.measuring import Progress, add_output, expected_json, margin_of, print_expected, write_json
from spotui.cli.trusting import add_trust, add_trust_address
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import gained, points, usd
from spotui.lang import _, as_english, ngettext
from spotui.settings.table import Group

if TYPE_CHECKING:
    from spotui.domain.records import RoundLine
    from spotui.runs.estimate import Estimate
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared
    from spotui.workspace.projects import Project, Workspace
    from spotui.workspace.pruned_file import Pruned

_MARGIN = "5"


def add_prune_arguments(parser: argparse.ArgumentParser) -> None:
    """What `prune` takes."""
    options.add_project(parser)
    parser.add_argument(
        "--round", metavar="ROUND", default="best", help=_("seed, best, last or a number (default: best)")
    )
    parser.add_argument(
        "--margin",
        metavar="POINTS",
        default=_MARGIN,
        help=_(
            "the loss that counts as none, in points of 100 (default: {margin}); 'no loss' is only reported "
            "where the whole interval is above it",
            margin=_MARGIN,
        ),
    )
    parser.add_argument(
        "--estimate", action="store_true", help=_("only show what it would take; ask no model")
    )
    add_output(parser)
    options.add_yes(parser)
    add_trust(parser)
    add_trust_address(parser)
    options.add_settings(parser, Group.BUDGET, Group.CALLS, only_limits=True)


def prune_command(parsed: argparse.Namespace) -> int:
    """Find the sentences of a prompt that can go, and print the shorter prompt with its receipt."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.show import pick_round
    from spotui.cli.trusting import settle_address, settle_trust_of
    from spotui.runs.launch import Launcher
    from spotui.workspace.history import read_history

    margin = margin_of(parsed.margin, most=50)
    launcher, workspace = Launcher(), options.workspace(parsed)
    project = workspace.existing(parsed.name)
    if not project.is_ours:
        raise SpotuiError(
            _("{name} was written by SPO's own tool, so its models are unknown.", name=project.name),
            _("Continue it with spotui first: spotui resume {name} --template FILE", name=project.name),
        )
    line = pick_round(project, read_history(project), parsed.round)
    prepared = _prepared(parsed, launcher, project)
    expected = _expected(launcher, prepared, workspace, line)
    if parsed.estimate:
        return _show_offer(parsed, project, expected)
    settle_trust_of(parsed, project)
    settle_address(parsed, launcher, prepared.settings.base_url)
    fetch_missing_models(prepared.settings, yes=parsed.yes)
    print(_("Expected: {estimate}", estimate=expected.line), file=sys.stderr)
    return _work(parsed, launcher, prepared, project, line, expected, margin)


def _work(
    parsed: argparse.Namespace,
    launcher: "Launcher",
    prepared: "Prepared",
    project: "Project",
    line: "RoundLine",
    expected: "Estimate",
    margin: float,
) -> int:
    from spotui.cli.conduct import quiet_limits
    from spotui.llm.limits import Halted
    from spotui.runs.prune import prune
    from spotui.runs.trust import start_trusted

    connections = launcher.connections(prepared.settings)
    tell = Progress(expected.calls, as_lines=parsed.json_lines)
    quiet_limits()
    try:
        found = asyncio.run(
            prune(
                project,
                prepared,
                line,
                options.workspace(parsed),
                connections,
                tell,
                margin=margin,
                start_metric=start_trusted,
            )
        )
    except Halted as halt:
        tell.end()
        text = _("spotui: {cause} The answers so far are kept; the same command resumes.", cause=halt.cause)
        print(text, file=sys.stderr)
        codes = {"budget": exit_codes.BUDGET, "unmarked": exit_codes.UNMARKED}
        return codes.get(halt.reason, exit_codes.CALL_FAILED)
    tell.end()
    if parsed.json or parsed.json_lines:
        write_json(_as_json(found))
    else:
        _print(project, found)
    return exit_codes.OK if found.verdict == "within_margin" else exit_codes.NO_IMPROVEMENT


def _prepared(parsed: argparse.Namespace, launcher: "Launcher", project: "Project") -> "Prepared":
    """The project's run with the budget that was typed, and without that of the run itself."""
    import msgspec

    from spotui.runs.recorder import change_limits
    from spotui.runs.snapshots import reopen
    from spotui.settings.table import BudgetSettings

    prepared = reopen(project)
    settings = msgspec.structs.replace(prepared.settings, budget=BudgetSettings())
    settings = change_limits(settings, launcher.limits(options.flags(parsed)))
    roles = ("executor", "evaluator") if _asks_evaluator(prepared) else ("executor",)
    return msgspec.structs.replace(prepared, settings=settings.asking(*roles))


def _asks_evaluator(prepared: "Prepared") -> bool:
    from spotui.runs.task import is_judged

    return not prepared.is_marked or is_judged(prepared.template)


def _expected(
    launcher: "Launcher", prepared: "Prepared", workspace: "Workspace", line: "RoundLine"
) -> "Estimate":
    from spotui.runs.estimate import estimate_pruning
    from spotui.workspace.paces import measured_paces

    paces = measured_paces(workspace, prepared.settings.models)
    return estimate_pruning(prepared, line.prompt, launcher.connector(prepared.settings), paces)


def _show_offer(parsed: argparse.Namespace, project: "Project", expected: "Estimate") -> int:
    """Print what it would take, and what is known of an earlier time."""
    from spotui.workspace.pruned_file import read_pruned

    known: Pruned | None = None
    try:
        known = read_pruned(project)
    except SpotuiError as error:  # it can be found again
        expected = expected.warning(error.what)
    if parsed.json or parsed.json_lines:
        write_json({**expected_json(expected), "known": None if known is None else _as_json(known)})
        return exit_codes.OK
    print_expected(expected)
    if known is not None:
        print(verdict(known))
    return exit_codes.OK


def _as_json(pruned: "Pruned") -> dict[str, object]:
    import msgspec

    data: dict[str, object] = msgspec.to_builtins(pruned, enc_hook=as_english)
    return {**data, "sentence": verdict(pruned)}


def _print(project: "Project", pruned: "Pruned") -> None:
    if pruned.cut:
        print(_("Shorter prompt of round {round}:", round=pruned.round))
        print()
        for text in pruned.prompt.splitlines():
            print(f"  {text}".rstrip())
        print()
        print(
            _(
                "Tokens: ~{before:,} before, ~{after:,} after (-{share:.0%}).",
                before=pruned.tokens_before,
                after=pruned.tokens_after,
                share=1 - pruned.tokens_after / max(1, pruned.tokens_before),
            )
        )
        print(_("Cut:"))
        for text in pruned.cut:
            print(f"  - {' '.join(text.split())}")
    print(
        ngettext(
            "Tried: {n:,} piece; {stays:,} were not, as cutting them could break slots, tags or code.",
            "Tried: {n:,} pieces; {stays:,} were not, as cutting them could break slots, tags or code.",
            pruned.pieces,
            stays=pruned.kept_safe,
        )
    )
    print(verdict(pruned))
    if pruned.cut:
        print(
            _(
                "Kept beside the best prompt, which stays: spotui export {name} --round pruned",
                name=project.name,
            )
        )
    cost = usd(pruned.cost_usd, pruned.unpriced, estimated=pruned.estimated)
    print(
        ngettext(
            "Bought: {n:,} call, {cost}; what was known before cost nothing.",
            "Bought: {n:,} calls, {cost}; what was known before cost nothing.",
            pruned.calls,
            cost=cost,
        ),
        file=sys.stderr,
    )


def verdict(pruned: "Pruned") -> str:
    """What the comparison shows, and no more than its interval supports."""
    if pruned.verdict == "nothing" or pruned.interval is None:
        return _("Nothing can go: every cut that was tried loses.")
    figures = {
        "gain": gained(pruned.difference, pruned.interval),
        "margin": f"{100 * pruned.margin:g}",
        "where": _where(pruned),
        "most": points(max(0.0, -pruned.interval[0])),
    }
    if pruned.verdict == "within_margin":
        text = _("No loss of more than {margin} points: {gain} {where}.", **figures)
    elif pruned.verdict == "worse":
        text = _("It loses: {gain} {where}.", **figures)
    else:
        text = _("A loss of up to {most} points cannot be ruled out: {gain} {where}.", **figures)
    if pruned.is_unseen:
        return text
    return _("{text} The cuts were chosen by the same ones, so the loss may be larger.", text=text)


def _where(pruned: "Pruned") -> str:
    if pruned.by == "duels":
        return ngettext(
            "on {n:,} question ({wins} won, {losses} lost)",
            "on {n:,} questions ({wins} won, {losses} lost)",
            pruned.rows,
            wins=pruned.wins,
            losses=pruned.losses,
        )
    if pruned.is_unseen:
        return ngettext(
            "on {n:,} unseen row ({wins} won, {losses} lost)",
            "on {n:,} unseen rows ({wins} won, {losses} lost)",
            pruned.rows,
            wins=pruned.wins,
            losses=pruned.losses,
        )
    return ngettext(
        "on {n:,} row ({wins} won, {losses} lost)",
        "on {n:,} rows ({wins} won, {losses} lost)",
        pruned.rows,
        wins=pruned.wins,
        losses=pruned.losses,
    )
