"""spotui migrate TEMPLATE --from OLD --to A,B."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.measuring import expected_json, margin_of, print_expected, write_json
from spotui.cli.migrate_output import MigrationListener, print_migration
from spotui.cli.trusting import add_trust, says_yes, settle_trust
from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings.table import ROLES, Group, is_embedded

if TYPE_CHECKING:
    from spotui.runs.estimate import Estimate
    from spotui.runs.launch import Launcher
    from spotui.runs.migrate.plan import MigrationPlan
    from spotui.settings.resolve import Flags
    from spotui.settings.table import BudgetSettings
    from spotui.workspace.answer_archive import AnswerArchive
    from spotui.workspace.migration_file import MigrationRecord

_MARGIN: Final = 5.0
"""Points that a new model may lose and still count as no loss, where nobody says otherwise."""

_CODES: Final = {
    "budget": exit_codes.BUDGET,
    "unmarked": exit_codes.UNMARKED,
    "stopped": exit_codes.STOPPED,
    "waiting": exit_codes.WAITING,
}
"""What the exit code says of a migration that ended early; any other reason is a failed call."""


def add_migrate_arguments(parser: argparse.ArgumentParser) -> None:
    """What `migrate` takes."""
    parser.add_argument(
        "template", metavar="TEMPLATE", help=_("a YAML file, or the name of your template or of an example")
    )
    parser.add_argument(
        "--from", dest="old", metavar="MODEL", help=_("the model in use (default: the executor's)")
    )
    parser.add_argument("--to", metavar="A,B,…", help=_("the models that may take its place"))
    parser.add_argument(
        "--prompt",
        metavar="PROMPT",
        default="seed",
        help=_(
            "the prompt in use: seed (the template's), best (the project's), a text file, another template, "
            "a project, or 'text:' and the prompt itself (default: seed)"
        ),
    )
    parser.add_argument(
        "--project", metavar="NAME", help=_("whose best is meant by 'best' (default: the template's name)")
    )
    parser.add_argument(
        "--margin",
        metavar="POINTS",
        default=str(_MARGIN),
        help=_("how many points a new model may lose and still count as no loss (default: {n:g})", n=_MARGIN),
    )
    parser.add_argument(
        "--archived-only",
        action="store_true",
        help=_("ask the old model nothing: compare on the questions whose answers are in the archive"),
    )
    parser.add_argument(
        "--always-optimize",
        action="store_true",
        help=_("look for a new prompt also where the same one shows no loss"),
    )
    parser.add_argument(
        "--name", metavar="NAME", help=_("the folder of the runs (default: TEMPLATE-migration)")
    )
    parser.add_argument("--estimate", action="store_true", help=_("only show what it would take at most"))
    parser.add_argument("--json", action="store_true", help=_("the result as one JSON object"))
    parser.add_argument(
        "--report", metavar="FILE", help=_("write the receipt, too: HTML, or Markdown for a name with .md")
    )
    parser.add_argument(
        "--yes",
        "-y",
        action="store_true",
        help=_("buy what is expected, and fetch a missing embedded model, without asking"),
    )
    add_trust(parser)
    options.add_workspace(parser)
    options.add_method(parser)
    options.add_settings(parser, Group.BUDGET, title=_("budget of the whole migration"))
    others = (Group.BUDGET, Group.FINAL_CHECK)
    options.add_settings(parser, *(group for group in Group if group not in others))


def migrate_command(parsed: argparse.Namespace) -> int:
    """Archive the old model's answers, try both prompts on each new model, and say what to do."""
    from spotui.cli.conduct import quiet_limits
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.migrate_tracking import MigrationReports
    from spotui.cli.tracking import chosen_trackers, tracking_group
    from spotui.llm.limits import Halted
    from spotui.runs.launch import Launcher
    from spotui.runs.migrate.work import Migration
    from spotui.runs.snapshots import kept_as
    from spotui.settings.locations import make_private
    from spotui.settings.resources import find_template
    from spotui.workspace.migration_file import MigrationFolder, archive_of

    margin = margin_of(parsed.margin, most=99)
    launcher, path, workspace = Launcher(), find_template(parsed.template), options.workspace(parsed)
    flags, budget = _flags(parsed), _budget(parsed, launcher)
    trackers = [] if parsed.estimate else chosen_trackers(parsed, launcher)
    plan = _plan(parsed, launcher, path, flags)
    archive = archive_of(workspace, kept_as(plan.test), plan.old)
    folder = MigrationFolder(workspace, parsed.name or f"{path.stem}-migration")
    expected = _expected(parsed, launcher, plan, archive)
    if parsed.estimate:
        write_json(expected_json(expected)) if parsed.json else print_expected(expected)
        return exit_codes.OK
    settle_trust(parsed, launcher, plan.test)
    for model in plan.models:
        fetch_missing_models(plan.run(model).settings, yes=parsed.yes)
    before = folder.read() if folder.exists else None
    record = _record(parsed, path, plan, margin, budget, before)
    is_done = before is not None and before.advice is not None
    if not is_done or before is None or (before.models, before.budget) != (plan.models, budget):
        _ask(parsed, plan, expected)
    make_private(folder.folder)
    folder.lock.acquire()
    listener = MigrationListener()
    facts: dict[str, str | int | float | bool | None] = {
        "template": path.name,
        "old model": plan.old,
        "new models": ", ".join(plan.models),
        "compared by": plan.by,
    }
    try:
        folder.write(record)
        quiet_limits()
        prompt = plan.test.template.prompt
        with tracking_group(trackers, "migration", folder.name, record.tracked_as, facts, prompt) as reports:
            served = MigrationReports(reports, folder, path.name, plan.models)
            migration = Migration(
                plan,
                folder,
                record,
                archive,
                launcher,
                served.serve,
                listener,
                archived_only=parsed.archived_only,
                always=parsed.always_optimize,
                grown=before is not None and before.budget != budget,
            )
            record = asyncio.run(migration.work())
            listener.end()
            print_migration(parsed, folder, record)
            served.conclude(record)
    except Halted as halt:
        listener.end()
        text = (
            _(
                "spotui: The budget of the migration is spent. Everything is kept; the same command resumes "
                "with a larger one."
            )
            if halt.reason == "budget"
            else _("spotui: {cause} Everything is kept; the same command resumes.", cause=halt.cause)
        )
        print(text, file=sys.stderr)
        return _CODES.get(halt.reason, exit_codes.CALL_FAILED)
    except KeyboardInterrupt:
        listener.end()
        print(_("spotui: Interrupted. Everything is kept; the same command resumes."), file=sys.stderr)
        return exit_codes.INTERRUPTED
    finally:
        listener.end()
        folder.lock.release()
    if parsed.report:
        from spotui.cli.report import write_report
        from spotui.view.report.of_migration import report_of_migration

        write_report(report_of_migration(folder), parsed.report, to=sys.stderr)
    return exit_codes.OK


def _flags(parsed: argparse.Namespace) -> "Flags":
    """The settings that were typed, without the budget, which is for all of the migration.

    Raises:
        UsageError: The executor's model was typed, too.
    """
    from spotui.settings.resolve import Flags
    from spotui.settings.table import SETTINGS

    of_all = {flag for one in SETTINGS if one.group is Group.BUDGET for flag in one.flags}
    typed = Flags(**{name: value for name, value in options.typed(parsed).items() if name not in of_all})
    if "exec_model" in typed:
        raise UsageError(_("--from and --to name the executor's models."), _("Leave --exec-model out."))
    return typed


def _budget(parsed: argparse.Namespace, launcher: "Launcher") -> "BudgetSettings":
    """What the whole migration may cost.

    Raises:
        SettingsError: A limit is wrong.
    """
    return launcher.settings(options.flags(parsed)).settings.budget


def _plan(parsed: argparse.Namespace, launcher: "Launcher", path: Path, flags: "Flags") -> "MigrationPlan":
    """The migration, prepared for every model.

    Raises:
        UsageError: No new model is named, one of them is the old one, or nothing is named that judges.
        SpotuiError: Template, settings, method, or a model cannot be used.
    """
    from spotui.cli.prompt_names import named_prompt
    from spotui.runs.migrate.plan import MigrationPlan

    models = list(dict.fromkeys(name.strip() for name in (parsed.to or "").split(",") if name.strip()))
    if not models:
        raise UsageError(
            _("--to is missing: it names the models that may take the old one's place."),
            _("For example: spotui migrate {template} --from gpt-4o --to gpt-5-mini", template=path.name),
        )
    prepared = launcher.prepare(path, flags, purpose="judge-check")
    old = parsed.old or prepared.settings.roles.executor.model
    if old in models:
        raise UsageError(
            _("{model} is the old model and a new one.", model=old),
            _("Leave it out of --to, or name the model in use with --from."),
        )
    compared, sources = (old, *models), launcher.settings(flags, prepared.template, path.parent).sources
    unnamed = {role for role in ROLES if sources[f"roles.{role}.model"].is_default}
    if all(map(is_embedded, compared)):  # then so may the others be
        unnamed = set()
    own = parsed.project or path.stem
    prompt = None
    if parsed.prompt != "seed":
        prompt = named_prompt(parsed.prompt, prepared.template, options.workspace(parsed), own)
    plan = MigrationPlan(
        launcher,
        path,
        flags,
        old,
        models,
        method=parsed.method,
        parameters=options.parameters(parsed),
        prompt=prompt,
        optimizes_itself="optimizer" in unnamed,
    )
    if "evaluator" in unnamed and plan.is_judged:
        raise UsageError(
            _("No model is named to judge the answers."),
            _(
                "Name one that is not compared, for example --eval-model gpt-4.1: judges prefer their own "
                "answers."
            ),
        )
    for model in models:  # an unknown one ends it before the old one is asked
        settings = plan.run(model).settings
        connector = launcher.connector(settings)
        for each in settings.models:
            connector.route_to(each)
    return plan


def _expected(
    parsed: argparse.Namespace, launcher: "Launcher", plan: "MigrationPlan", archive: "AnswerArchive"
) -> "Estimate":
    from spotui.settings.errors import SettingsError
    from spotui.workspace.paces import measured_paces

    archived = archive.read()
    missing = [one for one in plan.asked if one.id not in archived and not parsed.archived_only]
    try:
        launcher.connector(plan.test.settings).route_to(plan.old)
    except SettingsError:  # the migration says what is missing of its answers
        missing = []
    return plan.expected(missing, measured_paces(options.workspace(parsed), [plan.old, *plan.models]))


def _record(
    parsed: argparse.Namespace,
    path: Path,
    plan: "MigrationPlan",
    margin: float,
    budget: "BudgetSettings",
    before: "MigrationRecord | None",
) -> "MigrationRecord":
    """What is written down before anything is bought.

    Raises:
        MigrationError: The name is that of another migration.
    """
    import msgspec

    from spotui.workspace.migration_file import MigrationError, MigrationRecord
    from spotui.workspace.projects import new_run_id

    record = MigrationRecord(
        tracked_as=(before.tracked_as if before is not None else "") or new_run_id(),
        template=path.name,
        prompt=plan.test.template.prompt,
        old=plan.old,
        models=plan.models,
        by=plan.by,
        margin=margin,
        budget=budget,
        words=_words(parsed, path),
    )
    if before is None:
        return record
    same = (before.template, before.prompt, before.old) == (record.template, record.prompt, record.old)
    if not same:
        raise MigrationError(
            _(
                "There is a migration of that name, of {template} from {old} with another prompt or model.",
                template=before.template,
                old=before.old,
            ),
            _("Choose another name with --name; archived answers are used by all."),
        )
    # What was measured is found again in the journals, with the margin of this time.
    known = {name: getattr(before, name) for name in ("created", "seconds", "spent")}
    return msgspec.structs.replace(record, **known)


def _words(parsed: argparse.Namespace, path: Path) -> tuple[str, ...]:
    """The arguments that resume it, whatever the settings of the day."""
    words = ["migrate", str(path.resolve())]
    words += [f"--from={parsed.old}"] if parsed.old else []
    words += [f"--to={parsed.to}"]
    words += [f"--prompt={parsed.prompt}"] if parsed.prompt != "seed" else []
    words += [
        f"--{name}={value}" for name in ("project", "method", "name") if (value := getattr(parsed, name))
    ]
    words += [f"--margin={parsed.margin}"] if float(parsed.margin) != _MARGIN else []
    words += ["--archived-only"] if parsed.archived_only else []
    words += ["--always-optimize"] if parsed.always_optimize else []
    words += [f"--set={one}" for one in parsed.set]
    return (*words, *options.as_words(options.untracked(options.flags(parsed))))


def _ask(parsed: argparse.Namespace, plan: "MigrationPlan", expected: "Estimate") -> None:
    """Show what it takes, and ask before anything is bought.

    Raises:
        SpotuiError: The answer is no, or there is nobody to ask.
    """
    print(_("Expected: {estimate}", estimate=expected.line), file=sys.stderr)
    for text in expected.warnings:
        print(f"spotui: {text}", file=sys.stderr)
    if plan.by == "duels":
        compared = {plan.old, *plan.models} & set(plan.test.settings.panel)
        for model in sorted(compared):
            text = _(
                "spotui: {model} judges and is compared: judges prefer their own answers. Choose another "
                "judge with --eval-model.",
                model=model,
            )
            print(text, file=sys.stderr)
    if parsed.yes:
        return
    if not says_yes(_("Start the migration? [y/N] ")):
        raise SpotuiError(
            _("The migration was not started, and nothing was bought."),
            _("Start it with --yes, and limit it with --budget-usd or --budget-calls."),
        )
