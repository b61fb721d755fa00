"""The receipt of a migration: what to do and why, every figure, what changed in the prompts, and the cost."""

import shlex
from collections.abc import Iterator
from typing import Final

from spotui.domain.figures import clock, count, limit, state_in_words, usd
from spotui.lang import _
from spotui.view.migration import advice_in_words, explained, heads, rows
from spotui.view.report.document import (
    Block,
    Chart,
    Figures,
    Paragraph,
    Part,
    Point,
    Report,
    Section,
    Table,
    Tone,
)
from spotui.view.report.of_run import prompt_change
from spotui.view.report.receipt import Receipt, figures_of, hash_of, receipt_of_best
from spotui.workspace.migration_file import Finding, MigrationFolder, MigrationRecord, Tried, file_name
from spotui.workspace.record_folder import words_to_pass_on

_NUMBERS: Final = frozenset({2, 3, 4, 5, 6, 7})
_TONES: Final[dict[Finding, Tone]] = {
    "better": "win",
    "no_loss": "win",
    "worse": "loss",
    "unclear": "",
    "unmeasured": "faint",
}


def report_of_migration(folder: MigrationFolder) -> Report:
    """The report of a migration.

    Args:
        folder: Where it is kept.

    Raises:
        SpotuiError: It is damaged.
    """
    record = folder.read()
    parts: list[Part] = [Paragraph(advice_in_words(record), is_headline=True)]
    parts += _chart(record)
    parts.append(_table(record))
    parts += [Paragraph(line) for line in explained(record)]
    parts += [Section(_("Prompt in use")), Block(record.prompt)]
    receipt = _receipt(folder, record)
    advised = record.advice.model if receipt is not None and record.advice is not None else ""
    for one in record.tried:
        if one.kind == "new":
            parts += [
                Section(_("New prompt for {model}", model=one.model)),
                *([Figures(figures_of(receipt))] if receipt is not None and one.model == advised else []),
                Block(one.prompt, is_prompt=one.model == advised),
                *prompt_change(record.prompt, one.prompt, _("What changed for {model}", model=one.model)),
            ]
    parts += [*_cost(record), *_reproduce(folder.name, record)]
    created = f"{record.created:%Y-%m-%d %H:%M %Z}".strip()
    subtitle = _(
        "Migration of {template} from {old}, {when}, by spotui.",
        template=record.template,
        old=record.old,
        when=created,
    )
    return Report(folder.name, subtitle, parts, "" if receipt is None else receipt.as_json().decode())


def _receipt(folder: MigrationFolder, record: MigrationRecord) -> Receipt | None:
    """What the run says of the new prompt to move with; None where there is none, or the run has gone on."""
    advice = record.advice
    if advice is None or advice.action != "new":
        return None
    tried = record.tried_with(advice.model, "new")
    found = receipt_of_best(folder.project(file_name(advice.model)))
    return found if found is not None and tried is not None and found.prompt == tried.prompt else None


def _chart(record: MigrationRecord) -> Iterator[Part]:
    order = [record.tried_with(model, kind) for model in record.models for kind in ("same", "new")]
    shown = [_point(one) for one in order if one is not None and one.finding != "unmeasured"]
    if not shown:
        return
    if record.by == "duels":
        title = _("Win rate against the archived answers of {old}, with its 95% interval.", old=record.old)
        yield Chart(title, shown, is_trend=False, line=0.5, line_label=_("half"))
        return
    old = record.incumbent.score if record.incumbent is not None else None
    title = _("Score of each model and prompt on test rows, with its 95% interval.")
    yield Chart(title, shown, is_trend=False, line=old, line_label=record.old)


def _point(tried: Tried) -> Point:
    label = (
        _("{model}, same prompt", model=tried.model)
        if tried.kind == "same"
        else _("{model}, new prompt", model=tried.model)
    )
    return Point(label, tried.score, *tried.interval, "best" if _TONES[tried.finding] == "win" else "")


def _table(record: MigrationRecord) -> Table:
    order = [record.tried_with(model, kind) for model in record.models for kind in ("same", "new")]
    tones: list[Tone] = [_TONES[one.finding] for one in order if one is not None]
    before: list[Tone] = ["faint"] if record.incumbent is not None else []
    return Table(heads(record), rows(record), _NUMBERS, [*before, *tones])


def _cost(record: MigrationRecord) -> Iterator[Part]:
    spent = record.spent
    yield Section(_("Cost"))
    yield Paragraph(
        _("All that this migration has bought. Answers that were in the archive before cost nothing.")
    )
    yield Table(
        (_("Calls"), _("Tokens"), _("Cost"), _("Time")),
        [
            [
                f"{spent.calls:,}",
                count(spent.tokens, estimated=spent.estimated),
                usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated),
                clock(record.seconds),
            ]
        ],
        frozenset({0, 1, 2, 3}),
    )
    if record.runs:
        yield Table(
            (_("Run"), _("Model"), _("Rounds"), _("Ended"), _("New prompt")),
            [
                [
                    one.project,
                    one.model,
                    str(one.rounds),
                    state_in_words(one.reason),
                    _("yes") if one.improved else _("no"),
                ]
                for one in record.runs
            ],
            frozenset({2}),
        )


def _reproduce(name: str, record: MigrationRecord) -> Iterator[Part]:
    yield Section(_("How to reproduce"))
    yield Paragraph(
        _(
            "This command resumes the migration and buys nothing twice. With another --name it starts a new "
            "one, which uses the same archived answers."
        )
    )
    yield Block(" ".join(["spotui", *map(shlex.quote, words_to_pass_on(record.words, record.template))]))
    yield Paragraph(
        _(
            "Each run has a report with its rounds, cost and settings: 'spotui report {name}'.",
            name=shlex.quote(record.runs[0].project),
        )
        if record.runs
        else _("No run has looked for a new prompt.")
    )
    facts = [
        [_("Migration"), name],
        [_("Margin"), _("{points} points", points=f"{100 * record.margin:g}")],
        [_("Prompt in use, SHA-256"), hash_of(record.prompt)],
    ]
    facts += [
        [_("New prompt for {model}, SHA-256", model=one.model), hash_of(one.prompt)]
        for one in record.tried
        if one.kind == "new"
    ]
    limits = {"calls": _("calls"), "tokens": _("tokens"), "usd": "USD", "minutes": _("minutes")}
    facts += [
        [_("Budget"), f"{limit(getattr(record.budget, kind))} {unit}"]
        for kind, unit in limits.items()
        if getattr(record.budget, kind) is not None
    ]
    yield Table((_("What"), _("Value")), facts)
