"""The entries of a round in the log: what is proposed, scored, answered, voted and decided."""

from typing import Final

from spotui.domain import events
from spotui.domain.events import PastPrompt
from spotui.domain.figures import (
    cell,
    change_in_words,
    clock,
    count,
    floor_points,
    points,
    rounds_named,
    usd,
    verdict,
)
from spotui.domain.text import short
from spotui.domain.verdicts import Outcome
from spotui.lang import N_, _, ngettext
from spotui.view.log import Entry, Tone, lane, of_candidate

TONES: Final[dict[Outcome, Tone]] = {
    "seed": "best",
    "win": "win",
    "lead": "tie",
    "loss": "loss",
    "tie": "tie",
    "undecided": "tie",
    "refused": "loss",
    "void": "void",
}
"""How outcomes are coloured."""

UNLIKE_LENGTH: Final = 1.5
"""Answers that are so many times as long may win, or lose, by their length alone; then the log says so."""

PROMPT_SHOWN: Final = 90
"""Characters of a prompt in the log; all of it is on the screen of the round's rows."""


def proposed(event: events.CandidateProposed) -> Entry:
    """A candidate, or one of several."""
    is_one_of_several = event.words_changed is not None
    title = _("candidate {number}", number=event.index + 1) if is_one_of_several else _("candidate")
    text = event.modification or short(event.prompt, PROMPT_SHOWN)
    if event.edited:
        title, text = _("{title}, edited by hand", title=title), short(event.prompt, PROMPT_SHOWN)
    facts = "" if event.words_changed is None else change_in_words(event.words_changed)
    said = ""
    if event.other_parents:
        origin = _("from {rounds}", rounds=rounds_named((event.parent, *event.other_parents)))
        facts, said = f"{origin}, {facts}", f"{title} {origin}: {short(text)}"
    fills = ("propose", event.index)
    return Entry(event.round, "proposal", title, facts, text, event.reasoning, said=said, fills=fills)


def scored(event: events.CandidateScored) -> Entry:
    """A candidate's score on some rows."""
    rows = rows_scored(event)
    facts = [rows]
    if event.left_out:
        facts.append(_("{left_out:,} errored", left_out=event.left_out))
    if event.words_changed is not None:
        facts.append(change_in_words(event.words_changed))
    title = interval(event.score, event.low, event.high) if event.rows else _("no score")
    text = short(event.modification or event.prompt, PROMPT_SHOWN)
    after = "".join(f", {fact}" for fact in facts[1:])
    said = _(
        "prompt {index} scores {title} on {rows}{after}: {text}",
        index=event.index + 1,
        title=title,
        rows=rows,
        after=after,
        text=text,
    )
    tone: Tone = "warning" if event.left_out else "plain"
    return Entry(event.round, "proposal", title, ", ".join(facts), text, tone=tone, said=said)


def rows_scored(event: events.CandidateScored) -> str:
    """The rows that a score is over, and that others were not asked where the candidate had fallen behind."""
    if event.unasked:
        return _(
            "{asked:,} of {all:,} {split} rows, dropped",
            asked=len(event.marks),
            all=len(event.marks) + event.unasked,
            split=event.split,
        )
    return ngettext("{n:,} {split} row", "{n:,} {split} rows", event.rows, split=event.split)


def past_shown(event: events.PastShown) -> Entry:
    """What the optimizer sees of earlier rounds."""
    budget = _("no edit budget")
    if event.edit_budget is not None:
        budget = ngettext("edit budget {n:,} word", "edit budget {n:,} words", event.edit_budget)
    lines = [f"{past_line(one)}   {short(one.text, PROMPT_SHOWN)}" for one in event.past]
    seen = _("no earlier prompt")
    if event.past:
        seen = ngettext("{n:,} earlier prompt", "{n:,} earlier prompts", len(event.past))
    current = _("the seed") if event.current == 1 else _("round {number}", number=event.current)
    title = _("optimizer sees {current} and {seen}", current=current, seen=seen)
    allowed = (
        budget
        if event.edit_budget is None
        else _("at most {edit_budget} words", edit_budget=event.edit_budget)
    )
    rounds = ", ".join(past_line(one, "({})", " ") for one in event.past) or _("no earlier round")
    said = _("{allowed}; the optimizer sees {rounds}", allowed=allowed, rounds=rounds)
    return Entry(event.round, "block", title, budget, "\n".join(lines), said=said)


def past_line(earlier: PastPrompt, score: str = "{:>5}", gap: str = "   ") -> str:
    """Round, score and similarity of something that the optimizer is shown.

    Args:
        earlier: The prompt, or what was written about one.
        score: How a score is written.
        gap: The text between the three.
    """
    facts = [_("round {number}", number=earlier.round)]
    if earlier.score is not None:
        facts.append(score.format(points(earlier.score)))
    if earlier.similarity is not None:
        facts.append(_("alike {similarity:.2f}", similarity=earlier.similarity))
    return gap.join(facts)


def interval(score: float, low: float, high: float) -> str:
    """A score with its interval."""
    return _("{score} ({low} to {high})", score=points(score), low=points(low), high=points(high))


def item_line(item: events.BlockItem) -> str:
    """Score and facts of a text of a block."""
    facts = [f"{name} {cell(value)}" for name, value in item.facts.items()]
    if item.score is not None and item.low is not None and item.high is not None:
        return "   ".join([interval(item.score, item.low, item.high), *facts])
    return "   ".join(facts if item.score is None else [points(item.score), *facts])


def answered(event: events.Answered) -> Entry:
    """An answer to one question, or why there is none."""
    number = event.index + 1
    if event.error:
        text, said = (
            _("No answer: {error}", error=event.error),
            _("question {number} has no answer: {error}", number=number, error=short(event.error)),
        )
    else:
        text, said = (
            event.answer,
            _("question {number} answered: {answer}", number=number, answer=short(event.answer)),
        )
    fills = (lane("execute", event.candidate), event.index)
    title, said = (
        of_candidate(event.candidate, one) for one in (_("question {number}", number=number), said)
    )
    return Entry(event.round, "answer", title, "", text, event.question, said=said, fills=fills)


_VOTES: Final = {
    (False, False): N_("{vote}: {choice}"),
    (True, False): N_("{vote} of {model}: {choice}"),
    (False, True): N_("{vote} on question {number}: {choice}"),
    (True, True): N_("{vote} of {model} on question {number}: {choice}"),
}


def voted(event: events.VoteCast) -> Entry:
    """A vote, with its reason."""
    match event.voter, event.order:
        case "human", _:
            vote = _("your vote")
        case "likelihood", _:
            vote = _("likelihood")
        case _, "":
            vote = _("vote")
        case _:
            vote = _("vote {order}", order=event.order)
    number = None if event.question is None else event.question + 1
    values = {"vote": vote, "choice": _(event.choice)}
    values |= {"model": event.model} if event.model else {}
    values |= {} if number is None else {"number": str(number)}
    title = _(_VOTES[bool(event.model), number is not None], **values)
    order = f" {event.order}" if event.order else ""
    fills = (lane("human" if event.voter == "human" else "vote", event.candidate), event.index)
    title = of_candidate(event.candidate, title)
    said = of_candidate(
        event.candidate,
        _(
            "{voter} votes{order} {choice}: {reason}",
            voter=_(event.voter),
            order=order,
            choice=_(event.choice),
            reason=short(event.reason),
        ),
    )
    return Entry(event.round, "vote", title, text=event.reason, tone=event.choice, said=said, fills=fills)


def finished(event: events.RoundFinished) -> Entry:
    """How a round ended, and what it cost."""
    figures, words = [], []
    if event.score is not None and event.score_interval is not None:
        figures.append(interval(event.score, *event.score_interval))
        words.append(_("score {score}", score=figures[0]))
        if event.outcome in {"win", "lead"} and event.gain is not None and event.floor is not None:
            figures.append(_gain(event.gain, event.floor))
            words.append(figures[-1])
    elif event.wins or event.losses or event.ties:
        figures.append(f"{event.wins}:{event.losses}")
        words.append(_("votes {votes}", votes=figures[0]))
    tokens = count(event.prompt_tokens + event.completion_tokens, estimated=event.estimated)
    spent = [usd(event.cost_usd, estimated=event.estimated), clock(event.seconds)]
    notes = [event.note] if event.note else []
    if event.judged is not None:
        notes.append(_("The judge's verdict was {judged}.", judged=event.judged))
    if event.flipped:
        notes.append(_("The order of the answers changed the vote."))
    if event.length_ratio is not None and not 1 / UNLIKE_LENGTH < event.length_ratio < UNLIKE_LENGTH:
        notes.append(
            _(
                "The candidate's answers are {length_ratio:.1f} times as long as the best's.",
                length_ratio=event.length_ratio,
            )
        )
    outcome = verdict(event.outcome, event.judged, event.preferred)
    ended = [f"{outcome} ({event.note})" if event.note else outcome, *words]
    return Entry(
        event.round,
        "verdict",
        _verdict(event),
        ", ".join([*figures, _("{tokens} tok", tokens=tokens), *spent]),
        " ".join(notes),
        tone=TONES[event.outcome],
        said=_(
            "{ended}; best is round {best}; {value}",
            ended=", ".join(ended),
            best=event.best,
            value=", ".join([_("{tokens} tokens", tokens=tokens), *spent]),
        ),
    )


def _verdict(event: events.RoundFinished) -> str:
    match event.outcome:
        case "seed":
            title = _("The seed is the best so far")
        case "win":
            title = _("Win: the new best")
        case "lead" if event.preferred == "cheaper":
            title = _("As good as the best within noise, and cheaper: the new best")
        case "lead" if event.preferred == "shorter":
            title = _("As good as the best within noise, and shorter: the new best")
        case "lead":
            title = _("Lead: the best so far, by less than the A/A floor")
        case outcome:
            title = _(
                "{outcome}: round {best} stays the best",
                outcome=verdict(outcome, None).capitalize(),
                best=event.best,
            )
    return title if event.judged is None else _("{title} (your verdict)", title=title)


def _gain(gain: float, floor: float) -> str:
    """How far a score is ahead of the last one that won, and from where on that is more than noise."""
    return _("{gain:+.1f}, A/A floor {floor}", gain=100 * gain, floor=floor_points(floor))
