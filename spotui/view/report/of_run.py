"""The report of a run: what came out, how, what it cost, and how to do it again."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from msgspec import UNSET

from spotui.domain.answer_cost import in_words, latency, price
from spotui.domain.figures import (
    count,
    percent,
    points,
    rounds_named,
    state_in_words,
    usd,
    verdict,
    with_interval,
)
from spotui.domain.records import RoundLine
from spotui.judging.reliability import Panel, panel_of
from spotui.judging.votes import judge_in_words
from spotui.lang import _, ngettext
from spotui.llm.spending import Spending
from spotui.runs.recorder import Earlier
from spotui.settings.table import SETTINGS, text_of, value_at
from spotui.view.pareto import pareto_of, shown_in_table, table, title, without_empty_columns
from spotui.view.picture import Picture, worth
from spotui.view.report.document import (
    Block,
    Chart,
    Difference,
    Figures,
    Paragraph,
    Part,
    Point,
    Report,
    Section,
    Table,
    Tone,
)
from spotui.view.report.outcomes import won_and_lost
from spotui.view.report.receipt import figures_of, make_receipt, picture_of
from spotui.view.word_diff import word_diff, words_changed
from spotui.workspace.history import History
from spotui.workspace.journal import Journal
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import Snapshot, read_snapshot

_MAY_HOLD_KEYS: Final = frozenset({"headers", "query"})
"""Settings whose values stay out of a file that is made to be passed on."""

_TONES: Final[Mapping[str, Tone]] = {"win": "win", "lead": "win", "seed": "faint", "void": "faint"}


def report_of_run(project: Project, history: History, line: RoundLine) -> Report:
    """The report of a run.

    Args:
        project: The project.
        history: What it holds.
        line: The round whose prompt it is about.

    Raises:
        SpotuiError: The project is damaged.
    """
    picture = picture_of(project, history)
    snapshot = read_snapshot(project.snapshot) if project.is_ours else None
    receipt = make_receipt(project, history, line, picture)
    seed = next((one for one in history.rounds if one.prompt), line)
    parts: list[Part] = [
        Paragraph(_headline(picture, history), is_headline=True),
        Figures(figures_of(receipt)),
    ]
    if history.held_out is not None:
        held_out = history.held_out
        parts.append(
            Paragraph(
                ngettext(
                    "On {n:,} held-out question: {outcome} against the seed.",
                    "On {n:,} held-out questions: {outcome} against the seed.",
                    held_out.questions,
                    outcome=verdict(held_out.outcome, None),
                )
            )
        )
    if line.per_answer is not None:
        parts.append(Paragraph(_("An answer with this prompt: {facts}.", facts=in_words(line.per_answer))))
    parts += _charts(history, line)
    parts += _pareto(picture)
    parts += [Section(_("Prompt")), Block(line.prompt, is_prompt=True)]
    if seed.round != line.round:
        parts += prompt_change(seed.prompt, line.prompt, _("What changed from the seed"))
    parts += _lineage(history, line)
    parts += won_and_lost(project, history, seed, line)
    parts += _judge(history, snapshot)
    if project.is_ours:
        parts += _cost(project)
    if snapshot is not None:
        parts += _settings(snapshot)
        parts += _reproduce(project, snapshot)
    when = f"{history.rounds[-1].at:%Y-%m-%d %H:%M %Z}".strip() if history.rounds else ""
    subtitle = _("Run of {method}, {when}, by spotui.", method=receipt.method or "SPO", when=when)
    return Report(project.name, subtitle, parts, receipt.as_json().decode())


def _headline(picture: Picture, history: History) -> str:
    if picture.stopped is not None:
        reason = state_in_words(picture.stopped.reason)
        found = worth(picture, picture.stopped)
        if picture.stopped.cause in found:
            return _("{worth} The run ended: {reason}.", worth=found, reason=reason)
        cause = picture.stopped.cause
        return _("{worth} The run ended: {reason}. {cause}", worth=found, reason=reason, cause=cause)
    if history.state == "foreign":
        return _("SPO's own tool ran this project; its calls and their cost are unknown.")
    return _("The run has not ended: {state}.", state=state_in_words(history.state))


def prompt_change(old: str, new: str, title: str) -> list[Part]:
    """The difference between two prompts, below a heading.

    Args:
        old: The prompt that was changed.
        new: What it became.
        title: The heading.
    """
    pieces = word_diff(old, new)
    added, removed = words_changed(pieces)
    text = _(
        "{words} added, {removed} removed.",
        words=ngettext("{n:,} word", "{n:,} words", added),
        removed=removed,
    )
    return [Section(title), Paragraph(text), Difference(pieces)]


def _charts(history: History, line: RoundLine) -> Iterator[Part]:
    """Score or win rate by round; nothing where no round after the seed has one."""
    best = line.round
    scored = [one for one in history.rounds if one.score is not None]
    if scored:
        seed = scored[0]
        title = _("Score by round with its 95% interval, on the rows that prompts are chosen by.")
        shown = [_point(one, one.score or 0.0, one.score_interval, best) for one in scored]
        yield Chart(title, shown, line=seed.score, line_label=_("seed"))
        return
    voted = [one for one in history.rounds if one.win_rate is not None]
    if voted:
        title = _("Win rate of each candidate against the best prompt before it, with its 95% interval.")
        shown = [_point(one, one.win_rate or 0.0, one.win_interval, best) for one in voted]
        yield Chart(title, shown, line=0.5, line_label=_("half"))


def _pareto(picture: Picture) -> Iterator[Part]:
    """Which prompts no other beats at their price."""
    pareto = pareto_of(picture)
    rows = without_empty_columns(table(pareto))
    if rows:
        yield Section(_("Score against price"))
        yield Paragraph(title(pareto))
        tones: list[Tone] = ["best" if one.is_best else "" for one in shown_in_table(pareto)]
        yield Table(rows[0], rows[1:], frozenset(range(1, len(rows[0]))), tones)


def _point(line: RoundLine, value: float, interval: tuple[float, float] | None, best: int) -> Point:
    low, high = interval or (None, None)
    tone: Tone = "best" if line.round == best else _TONES.get(line.outcome, "")
    return Point(str(line.round), value, low, high, tone)


def _lineage(history: History, line: RoundLine) -> Iterator[Part]:
    """How the prompt came about, and every round."""
    ancestors = [line]
    while (before := history.round(ancestors[-1].parent)) is not None and before not in ancestors:
        ancestors.append(before)
    yield Section(_("Lineage"))
    if len(ancestors) > 1:
        names = " → ".join(
            _("seed") if one.round == 1 else _("round {number}", number=one.round)
            for one in reversed(ancestors)
        )
        yield Paragraph(names)
    rounds = {one.round for one in ancestors}
    head = (
        _("Round"),
        _("Verdict"),
        _("Score or votes"),
        _("From"),
        _("Tokens"),
        _("Cost"),
        _("Price of an answer"),
        _("Seconds of an answer"),
        _("Modification"),
    )
    tones: list[Tone] = [
        "best" if one.round in rounds else _TONES.get(one.outcome, "") for one in history.rounds
    ]
    yield Table(head, [_round(one) for one in history.rounds], frozenset({0, 2, 4, 5, 6, 7}), tones)


def _round(line: RoundLine) -> list[str]:
    votes = [vote.choice for vote in line.votes]
    worth = f"{votes.count('win')}:{votes.count('loss')}" if votes else ""
    return [
        str(line.round),
        _verdict(line),
        worth if line.score is None else points(line.score),
        rounds_named((line.parent, *line.other_parents)) if line.parent else "",
        count(line.prompt_tokens + line.completion_tokens, estimated=line.estimated),
        usd(line.cost_usd, estimated=line.estimated),
        price(line.per_answer),
        latency(line.per_answer),
        line.modification or line.note,
    ]


def _verdict(line: RoundLine) -> str:
    """A verdict for other readers than the user."""
    if line.judged is None:
        return verdict(line.outcome, None, line.preferred)
    return _(
        "{outcome}, set by hand; the judge's verdict was {judged}",
        outcome=verdict(line.outcome, None),
        judged=verdict(line.judged, None),
    )


def _judge(history: History, snapshot: Snapshot | None) -> Iterator[Part]:
    """What votes say of the judge, or what marked the answers."""
    panel = panel_of(history.rounds)
    people = sum(vote.voter == "human" for one in history.rounds for vote in one.votes)
    if not panel.records and not people:
        return
    yield Section(_("Judge"))
    settings = snapshot.settings if snapshot is not None else {}
    if history.judge or settings:
        kind = judge_in_words(
            str(settings.get("judge", "")),
            str(settings.get("judge_unit", "")),
            json=bool(settings.get("judge_json")),
        )
        yield Paragraph(history.judge or kind)
    yield Table(
        (_("Judge"), _("Votes"), _("Void"), _("Pairs"), _("Flipped"), _("Rate, 95% CI")),
        _records(panel),
        frozenset({1, 2, 3, 4, 5}),
    )
    if panel.agreement is not None:
        yield Paragraph(
            ngettext(
                "The judges agreed in {agreed:,} of {n:,} comparison.",
                "The judges agreed in {agreed:,} of {n:,} comparisons.",
                panel.compared,
                agreed=panel.agreed,
            )
        )
    if people:
        yield Paragraph(ngettext("A person cast {n:,} vote.", "A person cast {n:,} votes.", people))
    if panel.warning:
        yield Paragraph(panel.warning)


def _records(panel: Panel) -> list[list[str]]:
    rows = []
    for name, one in panel.records.items():
        rate = ""
        if one.flip_rate is not None and one.flip_interval is not None:
            low, high = map(percent, one.flip_interval)
            rate = with_interval(percent(one.flip_rate), low, high)
        figures = (one.votes, one.voids, one.pairs, one.flips)
        rows.append([name or _("evaluator"), *(f"{figure:,}" for figure in figures), rate])
    return rows


def _cost(project: Project) -> Iterator[Part]:
    """Calls, tokens and cost by purpose, and all of them with those that were lost."""
    with Journal(project.journal) as journal:
        earlier = Earlier(journal.lines())
    by_purpose: dict[str, Spending] = {}
    for (purpose, _number), one in earlier.by_round.items():
        total = by_purpose.setdefault(purpose, Spending())
        for name in ("calls", "prompt_tokens", "completion_tokens", "cost_usd", "unpriced"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.estimated = total.estimated or one.estimated
    yield Section(_("Cost"))
    rows = [_spent(name.replace("_", " "), one) for name, one in sorted(by_purpose.items())]
    rows.append(_spent(_("all, with calls that brought nothing"), earlier.spending))
    head = (_("Calls for"), _("Calls"), _("Tokens in"), _("Tokens out"), _("Cost"))
    tones: list[Tone] = [""] * (len(rows) - 1)
    yield Table(head, rows, frozenset({1, 2, 3, 4}), [*tones, "best"])


def _spent(name: str, spending: Spending) -> list[str]:
    return [
        name,
        f"{spending.calls:,}",
        count(spending.prompt_tokens, estimated=spending.estimated),
        count(spending.completion_tokens, estimated=spending.estimated),
        usd(spending.cost_usd, spending.unpriced, estimated=spending.estimated),
    ]


def _settings(snapshot: Snapshot) -> Iterator[Part]:
    """The settings and parameters that differ from the defaults."""
    rows = []
    for one in SETTINGS:
        value = value_at(snapshot.settings, one.path)
        if isinstance(value, list):
            value = tuple(value)
        if value is UNSET or value == one.default or value in ((), {}):
            continue
        text = _("set; not shown") if one.path[-1] in _MAY_HOLD_KEYS else text_of(value)
        rows.append([one.key, text])
    rows += [[_("parameter {name}", name=name), str(value)] for name, value in snapshot.parameters.items()]
    yield Section(_("Settings"))
    yield Paragraph(_("Those that differ from the defaults."))
    yield Table((_("Setting"), _("Value")), rows)


def _reproduce(project: Project, snapshot: Snapshot) -> Iterator[Part]:
    yield Section(_("How to reproduce"))
    yield Paragraph(
        _(
            "The run is a replay of its journal: 'spotui verify' compares the figures above with it, and "
            "'spotui replay' shows the run again. Neither asks a model. A new run of the template begins "
            "with the same questions, rows and seed; models answer as they do that day."
        )
    )
    # A name from a file of somebody else is quoted: the commands are there to be copied.
    import shlex

    name, template = shlex.quote(project.name), shlex.quote(snapshot.template_name)
    seed = int(snapshot.settings.get("seed", 0))
    commands = [
        f"spotui verify REPORT --project {name}",
        f"spotui replay {name}",
        f"spotui run {template} --method {shlex.quote(snapshot.method)} --seed {seed}",
    ]
    yield Block("\n".join(commands))
    facts = [
        [_("Run"), snapshot.run],
        [_("Created"), f"{snapshot.created:%Y-%m-%d %H:%M:%S %z}"],
        [_("Template"), snapshot.template_name],
        [_("Template, SHA-256"), sha256(snapshot.template.encode("utf-8", "replace")).hexdigest()],
    ]
    if snapshot.origin is not None:
        origin = _("round {round} of {project}", round=snapshot.origin.round, project=snapshot.origin.project)
        facts.append([_("Branched from"), origin])
    yield Table((_("What"), _("Value")), facts)
    yield Block(snapshot.template, _("The template as it was when the run began"))
