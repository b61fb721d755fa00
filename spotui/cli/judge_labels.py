"""spotui judge-check TEMPLATE --labels FILE: a judge against what people decided."""

import argparse
import asyncio
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.cli.measuring import Progress, expected_json, print_expected, write_json
from spotui.cli.trusting import settle_trust
from spotui.domain.figures import gained, percent, usd
from spotui.lang import _, ngettext
from spotui.settings.locations import expanded

if TYPE_CHECKING:
    from spotui.judging.agreement import Agreement
    from spotui.runs.labels.check import LabelCheck, Tuned
    from spotui.runs.labels.judged import Verdicts
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared
    from spotui.templates.data.labels_file import Label


def add_label_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `judge-check` for labels."""
    labels = parser.add_argument_group(_("against what people decided"))
    labels.add_argument(
        "--labels",
        metavar="FILE",
        help=_("preferences or marks by people, as JSON lines or CSV; or a project, for its blind votes"),
    )
    labels.add_argument(
        "--tune",
        action="store_true",
        help=_("let the optimizer improve the criteria on half of the labels, and prove it on the others"),
    )
    labels.add_argument(
        "--write",
        action="store_true",
        help=_("with --tune: write criteria into TEMPLATE if they are better beyond chance"),
    )
    options.add_workspace(parser)


def refuse_without_labels(parsed: argparse.Namespace) -> None:
    """Make sure that no option for labels is used alone.

    Raises:
        UsageError: One is.
    """
    if parsed.tune and not parsed.labels:
        raise UsageError(_("--tune needs labels."), _("Add --labels with a file or a project."))
    if parsed.write and not parsed.tune:
        raise UsageError(_("--write is for --tune."), _("Add --tune, or leave --write out."))


def check_against_labels(parsed: argparse.Namespace, launcher: "Launcher", path: Path) -> int:
    """Let the judge decide what people decided, and print how far both agree."""
    from spotui.cli.fetching import fetch_missing_models
    from spotui.cli.judge_check import title_of
    from spotui.runs.estimate import estimate_labels
    from spotui.runs.labels.check import check_labels, criteria_key

    if parsed.write:
        _refuse_example(path)
    prepared = options.prepare(launcher, path, parsed, "tune" if parsed.tune else "labels")
    labels = _labels(parsed, prepared)
    connector = launcher.connector(prepared.settings)
    expected = estimate_labels(prepared, connector, labels, tunes=parsed.tune)
    is_json = parsed.json or parsed.json_lines
    if parsed.estimate:
        if is_json:
            write_json({"labels": len(labels), **expected_json(expected)})
        else:
            print(title_of(prepared.settings))
            print_expected(expected)
        return exit_codes.OK
    settle_trust(parsed, launcher, prepared)
    fetch_missing_models(prepared.settings, yes=parsed.yes)
    tell = Progress(expected.calls, as_lines=parsed.json_lines)
    try:
        found = asyncio.run(check_labels(prepared, connector, labels, tell, tunes=parsed.tune))
    finally:
        tell.end()
    key, written, fit = criteria_key(prepared, labels), False, found.verdicts.is_fit
    if parsed.write and found.tuned is not None and found.tuned.is_proven:
        _write(path, key, found.tuned.criteria)
        written, fit = True, found.tuned.new.is_fit
    if is_json:
        write_json({**_as_json(prepared, found), "key": key, "written": written})
    else:
        print(title_of(prepared.settings))
        _print(found.verdicts)
        if found.tuned is not None:
            _print_tuned(found.tuned, key)
            print(_outcome(parsed, found.tuned, key, path, written=written))
        spent = found.spending
        cost = usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated)
        print(ngettext("Spent: {n:,} call, {cost}.", "Spent: {n:,} calls, {cost}.", spent.calls, cost=cost))
    return exit_codes.OK if fit else exit_codes.NO_IMPROVEMENT


def _labels(parsed: argparse.Namespace, prepared: "Prepared") -> "list[Label]":
    """What people decided, from a file or from the votes of a project.

    Raises:
        UsageError: There is neither a file nor a project of that name.
        SpotuiError: A label cannot be used, or nobody voted.
    """
    from spotui.domain.errors import nearest
    from spotui.templates.data.labels_file import ids_of, read_labels
    from spotui.workspace.projects import ProjectError

    path = expanded(parsed.labels)
    if path.is_file():
        return read_labels(path, ids_of(_rows(prepared)), owner=prepared.path.name)
    workspace = options.workspace(parsed)
    try:
        project = workspace.project(parsed.labels)
    except ProjectError:
        project = None
    if project is not None and project.exists:
        from spotui.runs.labels.votes import labels_of

        return labels_of(project)
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    near = nearest(path.name, [*beside, *workspace.names()])
    raise UsageError(
        _("There is neither a file nor a project {name}.", name=parsed.labels),
        _("Did you mean {near}?", near=near)
        if near
        else _("Give a file with labels, or a project whose rounds you voted on."),
    )


def _rows(prepared: "Prepared") -> "list[Any]":
    """Every row of the template, with the place that an id names."""
    import msgspec

    from spotui.runs.task import questions_of

    if prepared.rows is not None and prepared.template.data is not None:
        rows = prepared.rows
        return [*rows.train, *rows.eval, *rows.test]
    asked = questions_of(prepared.template, prepared.rows, prepared.files.attach)
    return [
        msgspec.structs.replace(one.row, file=prepared.path.name, line=number)
        for number, one in enumerate(asked, 1)
        if one.row is not None
    ]


def _refuse_example(path: Path) -> None:
    from spotui.settings.resources import every_example

    if path.resolve() in {one.resolve() for one in every_example()}:
        raise UsageError(
            _("{path} belongs to spotui, and nothing is written into it.", path=path.name),
            _("Copy it to a file of yours, or leave --write out."),
        )


def _write(path: Path, key: str, criteria: str) -> None:
    """Put better criteria into a template; the rest of it stays as it is written."""
    import msgspec

    from spotui.templates.read import read_template
    from spotui.templates.save import save_template

    save_template(path, msgspec.structs.replace(read_template(path), **{key: criteria}))


def _print(verdicts: "Verdicts") -> None:
    found = verdicts.agreement
    print(_agreement(found))
    if found.kappa is not None:
        print(
            _(
                "Cohen's kappa: {kappa:.2f}; by chance {expected} would agree.",
                kappa=found.kappa,
                expected=percent(found.expected),
            )
        )
    if verdicts.mean_error is not None:
        print(_("Its marks differ from people's by {error:.2f} on average.", error=verdicts.mean_error))
    _print_confusion(found)
    for kind, each in verdicts.by_kind.items():
        print(f"  {_kind(kind)}: {_agreement(each)}{_parted(each)}")
    record = verdicts.panel.together
    if record.flip_rate is not None and record.flip_interval is not None:
        low, high = map(percent, record.flip_interval)
        print(
            ngettext(
                "Position bias: the order decided {flips} of {n:,} pair, {rate} (95% CI {low} to {high}).",
                "Position bias: the order decided {flips} of {n:,} pairs, {rate} (95% CI {low} to {high}).",
                record.pairs,
                flips=record.flips,
                rate=percent(record.flip_rate),
                low=low,
                high=high,
            )
        )
    if verdicts.panel.warning:
        print(f"spotui: {verdicts.panel.warning}", file=sys.stderr)
    if not found.is_beyond_chance:
        print(_("That is not more than chance: choose another evaluator, another --judge, or try --tune."))


def _agreement(agreement: "Agreement") -> str:
    low, high = map(percent, agreement.interval)
    return ngettext(
        "The judge agrees with people on {agreed} of {n:,} label, {share} (95% CI {low} to {high}).",
        "The judge agrees with people on {agreed} of {n:,} labels, {share} (95% CI {low} to {high}).",
        agreement.labels,
        agreed=agreement.agreed,
        share=percent(agreement.share or 0.0),
        low=low,
        high=high,
    )


def _kind(kind: str) -> str:
    from spotui.domain.text import short

    return short(_(kind), 40) if kind else _("without a kind")


def _print_confusion(agreement: "Agreement") -> None:
    """The choices of people from top to bottom, those of the judge from left to right."""
    columns = next(iter(agreement.confusion.values()), {})
    width = max(map(len, [*agreement.confusion, _("people")]))
    cells = max(6, *map(len, columns))
    print("  " + _("judge:").rjust(width + 10) + "".join(f"  {name:>{cells}}" for name in columns))
    for row, counts in agreement.confusion.items():
        name = f"{_('people')} {row}"
        print("  " + name.rjust(width + 10) + "".join(f"  {counts[one]:>{cells},}" for one in columns))


def _parted(agreement: "Agreement") -> str:
    """Where people and judge part, in words; empty where they do not."""
    parts = [
        _("{count} times people {people}, judge {judge}", count=count, people=people, judge=judge)
        for people, row in agreement.confusion.items()
        for judge, count in row.items()
        if people != judge and count
    ]
    return f" {'; '.join(parts)}." if parts else ""


def _print_tuned(tuned: "Tuned", key: str) -> None:
    print()
    print(
        ngettext(
            "Tuning tried {n:,} proposal. On the {learned} labels that it worked with, the judge agreed on "
            "{before}, and agrees on {after} by the best criteria.",
            "Tuning tried {n:,} proposals. On the {learned} labels that it worked with, the judge agreed on "
            "{before}, and agrees on {after} by the best criteria.",
            tuned.proposals,
            learned=tuned.learned,
            before=tuned.learned_before,
            after=tuned.learned_after,
        )
    )
    if not tuned.has_changed:
        return
    if tuned.modification:
        print(_("What changed: {modification}", modification=" ".join(tuned.modification.split())))
    paired = tuned.paired
    interval = (paired.interval.low, paired.interval.high)
    print(
        _(
            "On the other {labels} labels: {new} against {old}, {gain}, p {p:.3f}.",
            labels=tuned.old.agreement.labels,
            new=percent(tuned.new.agreement.share or 0.0),
            old=percent(tuned.old.agreement.share or 0.0),
            gain=gained(paired.difference, interval, paired.floor),
            p=paired.p,
        )
    )
    print(f"\n{key}:\n{tuned.criteria}\n")


def _outcome(parsed: argparse.Namespace, tuned: "Tuned", key: str, path: Path, *, written: bool) -> str:
    """Whether the criteria are better, and what became of them."""
    if not tuned.has_changed:
        return _("No proposal agrees with people more often: the criteria stay as they are.")
    if not tuned.is_proven:
        noise = _("On labels that the optimizer has not seen, that is within noise.")
        return f"{noise} {_('Nothing was written.')}" if parsed.write else noise
    if written:
        return _("They are better beyond chance, and `{key}` in {path} has them now.", key=key, path=path)
    return _(
        "They are better beyond chance. --write puts them into `{key}` in {path}.",
        key=key,
        path=shlex.quote(str(path)),
    )


def _as_json(prepared: "Prepared", check: "LabelCheck") -> dict[str, object]:
    settings, verdicts = prepared.settings, check.verdicts
    record = verdicts.panel.together
    data: dict[str, object] = {
        "judge": settings.judge,
        "models": settings.panel,
        "fit": verdicts.is_fit,
        **_agreement_as_json(verdicts.agreement),
        "kinds": {kind: _agreement_as_json(one) for kind, one in verdicts.by_kind.items()},
        "mean_error": verdicts.mean_error,
        "pairs": record.pairs,
        "flips": record.flips,
        "flip_rate": record.flip_rate,
        "flip_interval": record.flip_interval,
        "warning": verdicts.panel.warning,
        "decisions": [
            {"place": one.label.where, **one.decision._asdict(), "reason": one.reason}
            for one in verdicts.judged
        ],
        "calls": check.spending.calls,
        "cost_usd": None if check.spending.unpriced else check.spending.cost_usd,
    }
    if (tuned := check.tuned) is not None:
        data["tuned"] = {
            "criteria": tuned.criteria,
            "modification": tuned.modification,
            "changed": tuned.has_changed,
            "proven": tuned.is_proven,
            "learned": tuned.learned,
            "learned_before": tuned.learned_before,
            "learned_after": tuned.learned_after,
            "before": _agreement_as_json(tuned.old.agreement),
            "after": _agreement_as_json(tuned.new.agreement),
            "comparison": tuned.paired,
        }
    return data


def _agreement_as_json(agreement: "Agreement") -> dict[str, object]:
    return {
        "labels": agreement.labels,
        "agreed": agreement.agreed,
        "agreement": agreement.share,
        "interval": agreement.interval,
        "expected": agreement.expected,
        "kappa": agreement.kappa,
        "confusion": agreement.confusion,
    }
