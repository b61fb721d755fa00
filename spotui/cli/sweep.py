"""spotui sweep PLAN: many runs from one plan, compared in one table."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.sweep_workers import AT_ONCE, named_cluster, open_workers, runs_at_once
from spotui.cli.trusting import add_trust, says_yes, settle_trust
from spotui.domain.errors import SpotuiError
from spotui.lang import _, ngettext
from spotui.settings.table import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from spotui.runs.launch import Launcher
    from spotui.runs.sweep.cells import Cells, SweepEstimate
    from spotui.runs.sweep.plan import Cell, Plan
    from spotui.runs.sweep.progress import Progress
    from spotui.runs.sweep.work import Outcome, Sweep
    from spotui.settings.resolve import Flags
    from spotui.settings.table import BudgetSettings

_UNASKED: Final = 100
"""More runs than that are asked about first."""

_OF_RUNS: Final = tuple(
    group for group in Group if group not in (Group.SEED, Group.FINAL_CHECK, Group.BUDGET)
)


def add_sweep_arguments(parser: argparse.ArgumentParser) -> None:
    """What `sweep` takes."""
    parser.add_argument(
        "plan", metavar="PLAN", help=_("a YAML file with templates, methods, models, conditions and seeds")
    )
    parser.add_argument("--name", metavar="NAME", help=_("the folder of the runs (default: PLAN)"))
    parser.add_argument(
        "--parallel",
        metavar="N",
        type=int,
        help=_(
            "runs at once (default: {n}, or 1 with an embedded model; on a cluster, all its threads)",
            n=AT_ONCE,
        ),
    )
    cluster = parser.add_argument_group(_("cluster"))
    cluster.add_argument(
        "--on",
        metavar="ADDRESS",
        help=_("work on the Dask cluster at dask://HOST:PORT or tls://HOST:PORT instead of this machine"),
    )
    cluster.add_argument(
        "--home",
        metavar="HOST[:PORT]",
        default="",
        help=_("where the workers reach this machine (default: the address towards the scheduler)"),
    )
    cluster.add_argument(
        "--shared-workspace",
        action="store_true",
        help=_("let the workers write the workspace themselves: they see it under the same path"),
    )
    cluster.add_argument(
        "--send-keys",
        action="store_true",
        help=_("send your keys to the workers (default: each worker uses its environment and keyring)"),
    )
    parser.add_argument("--estimate", action="store_true", help=_("only say what the sweep would take"))
    parser.add_argument("--json", action="store_true", help=_("one event a line; the last one has the table"))
    parser.add_argument("--report", metavar="FILE", help=_("write the table as Markdown, too"))
    parser.add_argument(
        "--yes",
        "-y",
        action="store_true",
        help=_("start more than {n} runs, and fetch missing embedded models, without asking", n=_UNASKED),
    )
    add_trust(parser)
    options.add_workspace(parser)
    options.add_settings(parser, Group.BUDGET, title=_("budget of all runs together"))
    options.add_settings(parser, *_OF_RUNS)


def sweep_command(parsed: argparse.Namespace) -> int:
    """Work on every run of a plan, test the best prompts, and print the table; the same command resumes."""
    import msgspec

    from spotui.cli.conduct import quiet_limits
    from spotui.cli.sweep_tracking import SweepReports, tracking_sweep
    from spotui.cli.tracking import chosen_trackers
    from spotui.llm.leases import Pool
    from spotui.runs.launch import Launcher
    from spotui.runs.means import SharedLimiters
    from spotui.runs.sweep.cells import Cells, kept_back
    from spotui.runs.sweep.plan import read_plan
    from spotui.runs.sweep.work import Sweep
    from spotui.settings.locations import make_private
    from spotui.workspace.projects import new_run_id
    from spotui.workspace.sweep_file import SweepFolder, SweepRecord

    plan = read_plan(Path(parsed.plan))
    typed, workspace = _typed(parsed, plan), options.workspace(parsed)
    launcher = Launcher(limiters=SharedLimiters())
    cells, budget = Cells(launcher, plan, typed, workspace), _budget(parsed, plan)
    folder = SweepFolder(workspace, parsed.name or plan.path.stem)
    every = list(plan.cells())
    ended = folder.ended()
    waiting = [cell for cell in every if cell.name not in ended or ended[cell.name].reason == "failed"]
    trackers = [] if parsed.estimate else chosen_trackers(parsed, launcher)
    cluster = named_cluster(parsed)
    size = runs_at_once(parsed, cells, every, cluster)
    expected = cells.estimate(waiting, every, size)
    if parsed.estimate or not parsed.json:
        _say(parsed, expected)
    if parsed.estimate:
        return exit_codes.OK
    _settle(parsed, launcher, cells, every, budget, fetches=cluster is None)
    _ask(parsed, waiting, expected)
    pool = Pool(budget)
    pool.kept_back = kept_back(budget, expected)
    make_private(folder.folder)
    folder.lock.acquire()
    try:
        words = _words(parsed, plan.path)
        before = folder.read() if folder.exists else SweepRecord(plan=plan.path.name, runs=0, words=())
        name = before.tracked_as or new_run_id()
        folder.write(msgspec.structs.replace(before, runs=len(every), words=words, tracked_as=name))
        quiet_limits()
        tracking, tell = tracking_sweep(trackers, plan, folder, _teller(parsed))
        with tracking as reports:
            audience = SweepReports(reports)

            async def work() -> "Outcome | None":
                async with open_workers(
                    *(parsed, launcher, folder, pool, size, cluster, cells, every, tell),
                    reports=reports.is_wanted,
                ) as workers:
                    sweep = Sweep(
                        plan,
                        folder,
                        cells,
                        budget,
                        workers,
                        pool,
                        lambda name, prepared: launcher.new_project(workspace, name, prepared),
                        tell,
                        audience if reports.is_wanted else None,
                    )
                    return await _with_signals(sweep, parsed)

            outcome = asyncio.run(work())
            if outcome is None:
                return exit_codes.INTERRUPTED
            audience.conclude(folder, outcome)
            return _conclude(parsed, folder.name, outcome)
    finally:
        folder.lock.release()


def _words(parsed: argparse.Namespace, path: Path) -> tuple[str, ...]:
    """The arguments that resume the sweep, whatever the settings of the day."""
    words = ["sweep", str(path.resolve())]
    named = {name: getattr(parsed, name) for name in ("name", "parallel", "on", "home")}
    words += [f"--{name}={value}" for name, value in named.items() if value]
    words += ["--shared-workspace"] if parsed.shared_workspace else []
    words += ["--send-keys"] if parsed.send_keys else []
    return (*words, *options.as_words(options.untracked(options.flags(parsed))))


def _typed(parsed: argparse.Namespace, plan: "Plan") -> "Flags":
    """The settings of runs that were typed.

    Raises:
        UsageError: They choose models, and so does the plan.
    """
    from spotui.settings.resolve import Flags
    from spotui.settings.table import SETTINGS

    of_all = {flag for one in SETTINGS if one.group is Group.BUDGET for flag in one.flags}
    typed = Flags(**{name: value for name, value in options.typed(parsed).items() if name not in of_all})
    if plan.models and any(name == "model" or name.endswith("_model") for name in typed):
        raise UsageError(
            _("The plan chooses the models."), _("Change it there, or leave the flags of models out.")
        )
    return typed


def _budget(parsed: argparse.Namespace, plan: "Plan") -> "BudgetSettings":
    """The budget of all runs: what was typed, and what the plan says otherwise.

    Raises:
        SettingsError: A limit is wrong.
    """
    import msgspec

    from spotui.settings.errors import Problem, SettingsError
    from spotui.settings.table import SETTINGS, option
    from spotui.settings.values import KindError, convert_text

    found: dict[str, object] = {}
    for one in SETTINGS:
        text = getattr(parsed, one.flags[0]) if one.group is Group.BUDGET else None
        if text is None:
            continue
        try:
            found[one.path[-1]] = convert_text(one.kind, text)
        except KindError as error:
            flag = option(one.flags[0])
            raise SettingsError.of([Problem(flag, error.about(flag), error.hint)]) from None
    return msgspec.structs.replace(plan.budget, **found)


def _settle(
    parsed: argparse.Namespace,
    launcher: "Launcher",
    cells: "Cells",
    every: "Sequence[Cell]",
    budget: "BudgetSettings",
    *,
    fetches: bool,
) -> None:
    """Make sure, before anything is bought, that every kind of run can begin and may do what it does.

    Raises:
        SpotuiError: One cannot, or the user does not agree to what a template wants to use.
    """
    import msgspec

    from spotui.cli.fetching import fetch_missing_models

    trusted: set[Path] = set()
    for cell in cells.samples(every):
        test, prepared = cells.test(cell), cells.entrant(cell)
        if test.path not in trusted:
            trusted.add(test.path)
            settle_trust(parsed, launcher, test)
        settings = prepared.settings
        launcher.connector(msgspec.structs.replace(settings, budget=budget)).check_budget()
        if fetches:
            fetch_missing_models(settings, yes=parsed.yes)


def _say(parsed: argparse.Namespace, expected: "SweepEstimate") -> None:
    if parsed.json:
        import msgspec

        print(msgspec.json.encode(expected._asdict()).decode())
        return
    out = sys.stdout if parsed.estimate else sys.stderr
    print(_("Expected: {estimate}", estimate=expected.line), file=out)
    print(
        _("{test:,} of these calls test the best prompts on unseen rows.", test=expected.test.calls), file=out
    )


def _ask(parsed: argparse.Namespace, waiting: "Sequence[Cell]", expected: "SweepEstimate") -> None:
    """Ask before many runs begin.

    Raises:
        SpotuiError: The answer is no, or there is nobody to ask.
    """
    if parsed.yes or len(waiting) <= _UNASKED:
        return
    if not says_yes(_("{estimate} Start them? [y/N] ", estimate=expected.line)):
        raise SpotuiError(
            ngettext(
                "The plan has {n:,} run to do, and it was not started.",
                "The plan has {n:,} runs to do, and none was started.",
                len(waiting),
            ),
            _("{estimate} Start them with --yes, or plan fewer.", estimate=expected.line),
        )


def _teller(parsed: argparse.Namespace) -> "Callable[[Progress], None]":
    from spotui.runs.sweep.progress import encode_progress
    from spotui.view.sweep import progress_line

    def tell(event: "Progress") -> None:
        if parsed.json:
            print(encode_progress(event).decode(), end="", flush=True)
        elif line := progress_line(event):
            print(line, file=sys.stderr, flush=True)

    return tell


async def _with_signals(sweep: "Sweep", parsed: argparse.Namespace) -> "Outcome | None":
    """Stop cleanly on the first Ctrl-C, leave at once on the second."""
    task = asyncio.create_task(sweep.work())
    asked = False

    def interrupt() -> None:
        nonlocal asked
        if asked:
            task.cancel()
            return
        asked = True
        text = _(
            "Stopping: calls in flight have some seconds to finish. Ctrl-C again leaves at once. Everything "
            "is kept; the same command resumes."
        )
        if not parsed.json:
            print(text, file=sys.stderr, flush=True)
        sweep.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        return await task
    except asyncio.CancelledError:
        return None
    except ExceptionGroup as group:
        raise _first(group) from None


def _first(group: "ExceptionGroup[Exception]") -> Exception:
    """One of several errors, one that a person can act on where there is any."""
    from spotui.domain.errors import causes

    return next((one for one in causes(group) if isinstance(one, SpotuiError | OSError)), group)


def _conclude(parsed: argparse.Namespace, name: str, outcome: "Outcome") -> int:
    """Print the table, and say what is left to do."""
    from spotui.view.sweep import table_lines, table_markdown

    if outcome.table is not None and not parsed.json:
        print("\n".join(table_lines(outcome.table)))
    if outcome.table is not None and parsed.report:
        from spotui.cli.export import write_text

        write_text(table_markdown(name, outcome.table), parsed.report, to=sys.stderr)
    if outcome.failed:
        failed = ngettext("{n:,} run failed", "{n:,} runs failed", outcome.failed)
        print(
            _("spotui: {failed}: {cause} The same command resumes.", failed=failed, cause=outcome.cause),
            file=sys.stderr,
        )
        return exit_codes.CALL_FAILED
    match outcome.reason:
        case "finished":
            return exit_codes.OK
        case "budget":
            print(
                _("spotui: {cause} The same command resumes with a larger one.", cause=outcome.cause),
                file=sys.stderr,
            )
            return exit_codes.BUDGET
        case "unmarked":
            print(f"spotui: {outcome.cause}", file=sys.stderr)
            return exit_codes.UNMARKED
        case _:
            print(_("spotui: {cause} The same command resumes.", cause=outcome.cause), file=sys.stderr)
            return exit_codes.STOPPED
