"""A migration in words: its table, what each prompt has shown, and what to do."""

from typing import Final

from spotui.domain.answer_cost import AnswerCost, latency, price
from spotui.domain.figures import aligned, gained, percent, points, usd
from spotui.lang import N_, _, join, ngettext
from spotui.workspace.migration_file import Advice, Finding, Incumbent, MigrationRecord, PromptKind, Tried

_KINDS: Final[dict[PromptKind, str]] = {"same": N_("same"), "new": N_("new")}
_FINDINGS: Final[dict[Finding, str]] = {
    "better": N_("better"),
    "no_loss": N_("no loss"),
    "unclear": N_("unclear"),
    "worse": N_("worse"),
    "unmeasured": N_("not compared"),
}


def heads(record: MigrationRecord) -> list[str]:
    """The names of the columns."""
    figure = _("score, 95% CI") if record.by == "rows" else _("win rate, 95% CI")
    against = _("against {model}", model=record.old)
    return [
        *(_("model"), _("prompt"), figure, against, _("won"), _("lost")),
        *(_("USD/answer"), _("s/answer"), _("finding")),
    ]


def rows(record: MigrationRecord) -> list[list[str]]:
    """The cells of the table: the old model, then each prompt on each new one."""
    found = [_of_old(record.incumbent)] if record.incumbent is not None else []
    order = [record.tried_with(model, kind) for model in record.models for kind in _KINDS]
    return found + [_of_new(record, one) for one in order if one is not None]


def _of_old(old: Incumbent) -> list[str]:
    figure = "" if old.score is None or old.interval is None else _scored(old.score, old.interval)
    return [old.model, _("in use"), figure, "", "", "", *_costs(old.cost), ""]


def _of_new(record: MigrationRecord, tried: Tried) -> list[str]:
    figure = (
        _scored(tried.score, tried.interval)
        if record.by == "rows"
        else f"{percent(tried.score)} ({percent(tried.interval[0])} to {percent(tried.interval[1])})"
    )
    return [
        tried.model,
        _(_KINDS[tried.kind]),
        figure,
        gained(tried.difference, tried.difference_interval),
        str(tried.won),
        str(tried.lost),
        *_costs(tried.cost),
        _(_FINDINGS[tried.finding]),
    ]


def _scored(value: float, interval: tuple[float, float]) -> str:
    return f"{points(value)} ({points(interval[0])} to {points(interval[1])})"


def _costs(cost: AnswerCost | None) -> list[str]:
    return [price(cost) or _("unknown"), latency(cost)]


def table_lines(record: MigrationRecord) -> list[str]:
    """The table as it is printed."""
    head = heads(record)
    return aligned([head, *rows(record)], left=(0, 1, len(head) - 1))


def finding_line(tried: Tried) -> str:
    """What a prompt has shown, on one line."""
    prompt = _("the same prompt") if tried.kind == "same" else _("the new prompt")
    what = ngettext(
        "{model} with {prompt}: {finding}, {gain} points on {n:,} row",
        "{model} with {prompt}: {finding}, {gain} points on {n:,} rows",
        tried.rows,
        model=tried.model,
        prompt=prompt,
        finding=_(_FINDINGS[tried.finding]),
        gain=gained(tried.difference, tried.difference_interval),
    )
    if not tried.unanswered:
        return what
    return ngettext(
        "{what}; {n:,} got no answer", "{what}; {n:,} got no answers", tried.unanswered, what=what
    )


def explained(record: MigrationRecord) -> list[str]:
    """How the figures are to be read, and what limits them, one sentence or two a line."""
    margin = f"{100 * record.margin:g}"
    lines = [
        _(
            "No loss: the whole 95% interval lies above -{margin} points, the margin. Better: above 0. "
            "Worse: below 0. Unclear: none of these; more rows would tell.",
            margin=margin,
        )
        if record.by == "rows"
        else _(
            "The win rate is that against the archived answers, question by question in both orders; a tie "
            "is half a win. No loss: the whole 95% interval of the win rate less 50 lies above -{margin} "
            "points, the margin. Better: above 0. Worse: below 0. Unclear: none of these; more questions "
            "would tell.",
            margin=margin,
        )
    ]
    lines += [
        ngettext(
            "{model}: {n:,} question got no answer and counts as lost.",
            "{model}: {n:,} questions got no answer and count as lost.",
            one.unanswered,
            model=one.model,
        )
        for one in record.tried
        if one.unanswered
    ]
    lines += [
        ngettext(
            "{model}: the new prompt was chosen by {seen} of this {n:,} question; the others were new to it.",
            "{model}: the new prompt was chosen by {seen} of these {n:,} questions; the others were new to "
            "it.",
            found.rows,
            model=one.model,
            seen=one.questions,
        )
        for one in record.runs
        if one.questions and (found := record.tried_with(one.model, "new")) is not None
    ]
    lines += [
        _("{model}: no new prompt was looked for, as the same one shows no loss.", model=model)
        for model in record.left_out
        if record.tried_with(model, "new") is None
    ]
    lines += [
        _("{model}: no better prompt was found ({project}).", model=one.model, project=one.project)
        for one in record.runs
        if not one.improved
    ]
    return lines


def advice_in_words(record: MigrationRecord) -> str:
    """What to do and why, in a sentence or two; what is missing where the migration is not finished."""
    advice = record.advice
    if advice is None:
        return _("The migration is not finished; the same command resumes.")
    one = record.tried_with(advice.model, advice.kind)
    if one is None or advice.reason == "unmeasured":
        return _("Stay with {old}: no answer of a new model could be compared.", old=record.old)
    if advice.action == "stay":
        return _stay(record, advice, one)
    figures = {"model": one.model, "gain": _gain(one), "old": record.old, "margin": _margin(record)}
    if advice.reason == "better":
        text = (
            _("Move to {model} with the same prompt: it is better than {old}: {gain} points.", **figures)
            if advice.action == "same"
            else _("Move to {model} with the new prompt: it is better than {old}: {gain} points.", **figures)
        )
    else:
        text = (
            _(
                "Move to {model} with the same prompt: it loses at most the margin of {margin} points "
                "against {old} ({gain}).",
                **figures,
            )
            if advice.action == "same"
            else _(
                "Move to {model} with the new prompt: it loses at most the margin of {margin} points against "
                "{old} ({gain}).",
                **figures,
            )
        )
    return join(text, _cost_change(record, one))


def _stay(record: MigrationRecord, advice: Advice, tried: Tried) -> str:
    prompt = _("the same prompt") if tried.kind == "same" else _("the new prompt")
    figures = {
        "old": record.old,
        "model": tried.model,
        "prompt": prompt,
        "gain": _gain(tried),
        "margin": _margin(record),
    }
    match advice.reason:
        case "worse":
            return _(
                "Stay with {old}: every new model is worse or not shown to be as good. {model} with {prompt} "
                "comes closest: {gain} points.",
                **figures,
            )
        case "dearer":
            return join(
                _(
                    "Stay with {old}: {model} with {prompt} shows no loss and no gain ({gain} points).",
                    **figures,
                ),
                _cost_change(record, tried),
                _("If {old} goes away, move there.", old=record.old),
            )
        case _:
            return join(
                ngettext(
                    "Stay with {old}: {n:,} row cannot show that a new model loses at most {margin} points.",
                    "Stay with {old}: {n:,} rows cannot show that a new model loses at most {margin} points.",
                    tried.rows,
                    **figures,
                ),
                _(
                    "{model} with {prompt} comes closest: {gain} points. Add rows, or accept more with "
                    "--margin {enough}.",
                    **figures,
                    enough=_enough(tried),
                ),
            )


def _gain(tried: Tried) -> str:
    return gained(tried.difference, tried.difference_interval)


def _margin(record: MigrationRecord) -> str:
    return f"{100 * record.margin:g}"


def _enough(tried: Tried) -> int:
    """The least margin in whole points at which this would count as no loss."""
    return -int(100 * tried.difference_interval[0] // 1)


def _cost_change(record: MigrationRecord, tried: Tried) -> str:
    """How the cost of an answer changes; empty where a price is unknown."""
    old = record.incumbent.cost if record.incumbent is not None else None
    if old is None or tried.cost is None or not old.usd or tried.cost.usd is None:
        return ""
    change = tried.cost.usd / old.usd - 1
    prices = {"new": price(tried.cost), "old": price(old)}
    if abs(change) < 0.005:
        return _("An answer costs the same ({new}).", **prices)
    return (
        _("An answer costs {n} less: {new} instead of {old}.", n=percent(-change), **prices)
        if change < 0
        else _("An answer costs {n} more: {new} instead of {old}.", n=percent(change), **prices)
    )


def spent_line(record: MigrationRecord) -> str:
    """What the migration has bought."""
    spent = record.spent
    return ngettext(
        "Bought: {n:,} call, {cost}; archived answers cost nothing.",
        "Bought: {n:,} calls, {cost}; archived answers cost nothing.",
        spent.calls,
        cost=usd(spent.cost_usd, spent.unpriced, estimated=spent.estimated),
    )
