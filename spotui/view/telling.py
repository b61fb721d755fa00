"""Events in words: each has its line and its block here, and every log is made of these.

The plain log writes the line; the app's log shows the block, and joins those of one call or one prompt.
"""

from datetime import datetime
from typing import Final

from spotui.domain import events
from spotui.domain.events import Event
from spotui.domain.figures import (
    duration,
    gained,
    limit,
    moment,
    points,
    state_in_words,
    verdict,
)
from spotui.domain.text import short
from spotui.lang import N_, _, join, ngettext
from spotui.view.log import Entry, Tone, call_in_words, lane, of_candidate
from spotui.view.round_entries import (
    PROMPT_SHOWN,
    TONES,
    answered,
    finished,
    item_line,
    past_shown,
    proposed,
    scored,
    voted,
)

CUTS: Final = {
    "length": N_("cut by the length limit"),
    "content_filter": N_("stopped by a content filter"),
    "loop": N_("ended, as it repeated one passage"),
}
"""Finish reasons that end a reply before its end."""

_JUDGES: Final = {
    (False, False): N_("judge {judge}"),
    (False, True): N_("judge {judge} as JSON"),
    (True, False): N_("judge {judge} question by question"),
    (True, True): N_("judge {judge} question by question as JSON"),
}


def line(event: Event) -> str | None:
    """What the plain log says about an event; None when it is not worth a line."""
    match event:
        case events.RunOpened():
            return _opened(event)
        case events.JudgeMeasured(pairs=0) | events.RunStopped():  # the summary of a run says how it ended
            return None
        case events.StateChanged():
            return (
                _("{state}: {cause}", state=state_in_words(event.state), cause=event.cause)
                if event.cause
                else state_in_words(event.state)
            )
        case events.JudgeMeasured():
            return _measured(event)
        case events.CallRetried():
            wait = duration(event.wait)
            call = call_in_words(event.key)
            return _(
                "round {round}: {call}: {error} Try {tries} in {wait}.",
                round=event.key.round,
                call=call,
                error=event.error,
                tries=event.tries + 1,
                wait=wait,
            )
        case events.CallDropped():
            why = event.why if event.failed else _("cancelled in flight")
            return _(
                "round {round}: {call}: {why}", round=event.key.round, call=call_in_words(event.key), why=why
            )
        case _:
            entry = tell(event)
            return None if entry is None else entry.line


def tell(event: Event) -> Entry | None:
    """The block of an event; None where it has none, as what only changes figures, or a call."""
    match event:
        case events.RoundStarted():
            origin = _("from round {best}", best=event.best) if event.best else _("the seed prompt")
            said = _("starts from round {best}", best=event.best) if event.best else _("the seed prompt")
            title = _("Round {number}", number=event.round)
            return Entry(event.round, "round", title, origin, tone="heading", said=said)
        case events.CandidateProposed():
            return proposed(event)
        case events.CandidateRefused() if event.prompt:
            title = _("candidate {index} refused", index=event.index + 1)
            return Entry(event.round, "proposal", title, text=event.why, tone="loss")
        case events.CandidateRefused():
            if event.final:
                text = _("{why} The round continues without it.", why=event.why)
            else:
                text = _("{why} It is asked for again.", why=event.why)
            tone: Tone = "void" if event.final else "warning"
            return Entry(event.round, "trouble", _("candidate refused"), text=text, tone=tone)
        case events.CandidateScored(split="test"):
            return None  # the test as a whole says more
        case events.CandidateScored():
            return scored(event)
        case events.PastShown():
            return past_shown(event)
        case events.NoteWritten():
            text = event.text or _("Nothing was written.")
            facts = _("on: {prompt}", prompt=short(event.prompt, 40)) if event.prompt else ""
            fills = (f"note {event.what}", event.prompt)
            return Entry(event.round, "note", event.what, facts, aside=text, fills=fills)
        case events.BlockShown():
            lines = [f"{item_line(one)}   {short(one.text, PROMPT_SHOWN)}".strip() for one in event.items]
            title, facts = f"{event.name}: {event.title}", f"{len(event.items):,}"
            said = f"{event.name}: {len(event.items):,} {event.title}"
            return Entry(event.round, "block", title, facts, "\n".join(lines), said=said)
        case events.Answered():
            return answered(event)
        case events.Likelihood():
            return Entry(
                event.round,
                "vote",
                of_candidate(event.candidate, _("likelihood of answer {index}", index=event.index + 1)),
                text=_(
                    "The requirements change its log-probability by {event:+.3f} a token.", event=event.value
                ),
                fills=(lane("vote_likelihood", event.candidate), event.index),
            )
        case events.VoteCast():
            return voted(event)
        case events.RoundFinished():
            return finished(event)
        case _:
            return _of_the_run(event)


def batch_in_words(event: events.BatchChanged) -> str:
    """How far a batch is, in a few words: `batch 120 of 240 done, by 21:40`."""
    text = _("batch {done:,} of {calls:,} done", done=event.done, calls=event.calls)
    if not (when := _when(event.expected)):
        return text
    return _("{batch}, by {when}", batch=text, when=when)


def _when(at: float | None) -> str:
    """A time, or nothing where it is unknown or no calendar has it."""
    try:
        return (
            "" if at is None else moment(datetime.fromtimestamp(at).astimezone(), datetime.now().astimezone())
        )
    except (OverflowError, OSError, ValueError):
        return ""


def _batch(event: events.BatchChanged) -> Entry:
    """The block of a batch."""
    match event.state:
        case "submitted":
            text = ngettext(
                "{n:,} call to {model} is submitted as a batch, {id}.",
                "{n:,} calls to {model} are submitted as a batch, {id}.",
                event.calls,
                model=event.model,
                id=event.id,
            )
            if when := _when(event.expected):
                text = join(text, _("It ends by {when}.", when=when))
        case "waiting":
            return Entry(0, "notice", _("Batch of {model}", model=event.model), text=batch_in_words(event))
        case "collected":
            text = ngettext(
                "The batch {id} is collected: {done:,} of {n:,} call has a reply.",
                "The batch {id} is collected: {done:,} of {n:,} calls have a reply.",
                event.calls,
                id=event.id,
                done=event.done - event.failed,
            )
            if event.again:
                text = join(
                    text,
                    ngettext("{n:,} call is sent again.", "{n:,} calls are sent again.", event.again),
                )
    return Entry(0, "notice", _("Batch of {model}", model=event.model), text=text)


def _of_the_run(event: Event) -> Entry | None:
    match event:
        case events.BatchChanged():
            return _batch(event)
        case events.StateChanged(state="paused"):
            return Entry(0, "trouble", _("Paused"), text=event.cause, tone="warning")
        case events.StateChanged(state="running"):
            return Entry(0, "notice", _("Running again"))
        case events.VerdictOverridden():
            title = _(
                "Your verdict on round {round}: {outcome}",
                round=event.round,
                outcome=verdict(event.outcome, None),
            )
            text = _("It counts from round {before_round} on.", before_round=event.before_round)
            tone, said = (
                TONES[event.outcome],
                _("your verdict: {outcome}", outcome=verdict(event.outcome, None)),
            )
            return Entry(event.round, "verdict", title, text=text, tone=tone, said=said)
        case events.HintGiven():
            title = _("Your hint from round {round} on", round=event.before_round)
            text = event.text or _("None any more.")
            said = _("your hint from round {round} on: {text}", round=event.before_round, text=text)
            return Entry(0, "notice", title, text=text, tone="best", said=said)
        case events.HeldOutFinished():
            title = ngettext(
                "Best against seed on {n:,} held-out question: {outcome}",
                "Best against seed on {n:,} held-out questions: {outcome}",
                event.questions,
                outcome=verdict(event.outcome, None),
            )
            text = ngettext(
                "{n:,} vote for it, {losses:,} against, {ties}.",
                "{n:,} votes for it, {losses:,} against, {ties}.",
                event.wins,
                losses=event.losses,
                ties=ngettext("{n:,} tie", "{n:,} ties", event.ties),
            )
            return Entry(0, "verdict", title, text=text, tone="best")
        case events.FinalTest():
            title = ngettext(
                "Test of round {best} on {n:,} test row",
                "Test of round {best} on {n:,} test rows",
                event.rows,
                best=event.best,
            )
            facts, text = (
                _("{wins} rows won, {losses} lost", wins=event.wins, losses=event.losses),
                test_result(event),
            )
            said = _("test of round {best}: {text}", best=event.best, text=text)
            return Entry(0, "verdict", title, facts, text, tone="best", said=said)
        case events.FinalCheckFinished():
            title = ngettext(
                "Final check on {n:,} question: {outcome}",
                "Final check on {n:,} questions: {outcome}",
                event.questions,
                outcome=verdict(event.outcome, None),
            )
            said = _("final check: {headline}", headline=event.headline)
            return Entry(0, "verdict", title, text=event.headline, tone="best", said=said)
        case events.FinalCheckSkipped():
            return Entry(0, "verdict", _("No final check"), text=event.why, tone="warning")
        case events.LimitsChanged():
            changes = ", ".join(f"{key} {limit(value)}" for key, value in event.changes.items())
            return Entry(
                0, "notice", _("Limits changed"), text=changes, said=_("limits: {changes}", changes=changes)
            )
        case events.Noticed():
            if event.level == "info":
                return Entry(0, "notice", _("Notice"), text=event.text, said=event.text)
            said = _("{level}: {text}", level=_(event.level), text=event.text)
            return Entry(0, "notice", _("Notice"), text=event.text, tone=event.level, said=said)
        case events.CommandRefused():
            return Entry(
                0, "trouble", _("Refused: {command}", command=event.command), text=event.why, tone="warning"
            )
        case events.RunStopped():
            return Entry(
                0,
                "verdict",
                _("Stopped: {reason}", reason=state_in_words(event.reason)),
                text=event.cause,
                tone="heading",
            )
        case _:
            return None


def test_result(test: events.FinalTest) -> str:
    """What the test on unseen rows says, in a sentence."""
    if test.left_out == test.rows:
        return _("No test row has a mark with both prompts, so the test says nothing. The notices say why.")
    low, high = test.difference_interval
    is_beyond = (low > 0 or high < 0) and abs(test.difference) >= test.floor
    sure = "" if is_beyond else _("; that may be chance")
    return ngettext(
        "On {n:,} test row: {best_score} against the seed's {seed_score}, {gained}{sure}.",
        "On {n:,} test rows: {best_score} against the seed's {seed_score}, {gained}{sure}.",
        test.rows,
        best_score=points(test.best_score),
        seed_score=points(test.seed_score),
        gained=gained(test.difference, test.difference_interval, test.floor),
        sure=sure,
    )


def _opened(event: events.RunOpened) -> str:
    models = " + ".join(dict.fromkeys(filter(None, [*event.models.values(), event.embedding_model])))
    judge = _(_JUDGES[event.judge_unit == "row", event.judge_json], judge=event.judge)
    facts = [event.method, ngettext("{n:,} round", "{n:,} rounds", event.rounds)]
    if event.rows:
        sizes = " + ".join(f"{rows} {split}" for split, rows in event.rows.items())
        facts.append(_("{sizes} rows", sizes=sizes))
    else:
        facts.append(ngettext("{n:,} question", "{n:,} questions", len(event.questions)))
    if event.held_out and not event.rows:
        facts.append(_("{held_out} held out", held_out=event.held_out))
    if event.recorded:
        facts.append(ngettext("{n:,} call recorded", "{n:,} calls recorded", event.recorded))
    facts += [_("metric {metric}", metric=event.metric) if event.rows and event.metric else judge, models]
    return f"{event.project}: {', '.join(facts)}"


def _measured(event: events.JudgeMeasured) -> str:
    facts = [
        ngettext(
            "{flips} of {n:,} pair of votes flipped",
            "{flips} of {n:,} pairs of votes flipped",
            event.pairs,
            flips=event.flips,
        )
    ]
    if event.voids:
        facts.append(ngettext("{n:,} void vote", "{n:,} void votes", event.voids))
    if event.compared:
        facts.append(
            _("judges agreed {agreed} of {compared} times", agreed=event.agreed, compared=event.compared)
        )
    return _("judge: {facts}", facts=", ".join(facts))
