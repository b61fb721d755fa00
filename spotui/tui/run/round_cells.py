"""A round as a row: with its votes, or with its score where prompts are scored on rows."""

from functools import lru_cache

from textual.content import Content

from spotui.events import RoundFinished
from spotui.tui.table_view import Column
from spotui.view.figures import count, duration, percent, points, usd, verdict
from spotui.view.picture import Picture, RoundPicture
from spotui.view.word_diff import word_diff, words_changed

_TONES = {
    "seed": "$accent",
    "win": "$text-success",
    "loss": "$text-muted",
    "tie": "$text-warning",
    "undecided": "$text-warning",
    "void": "$text-error",
}
VOTED = (
    Column("round", 5, is_number=True),
    Column("verdict", 10),
    Column("votes", 5, is_number=True),
    Column("win rate", 17, is_number=True, from_width=110),
    Column("words", 9, is_number=True, from_width=50),
    Column("tokens", 7, is_number=True, from_width=56),
    Column("USD", 9, is_number=True, from_width=84),
    Column("time", 6, is_number=True, from_width=70),
    Column("modification", from_width=44),
)
"""The columns of a run that is decided by votes."""

SCORED = (
    Column("round", 5, is_number=True),
    Column("verdict", 10),
    Column("score", 5, is_number=True),
    Column("interval", 14, is_number=True, from_width=62),
    Column("prompts", 7, is_number=True, from_width=104),
    Column("words", 9, is_number=True, from_width=44),
    Column("tokens", 7, is_number=True, from_width=72),
    Column("USD", 9, is_number=True, from_width=96),
    Column("time", 6, is_number=True, from_width=84),
    Column("modification", from_width=38),
)
"""The columns of one that is decided by scores; words are those changed, of those allowed."""


def voted_cells(picture: Picture, one: RoundPicture) -> tuple[Content | str, ...]:
    """A round with its votes."""
    number = _number(picture, one)
    choices = [vote.choice for vote in one.votes]
    votes = f"{choices.count('win')}:{choices.count('loss')}" if choices else ""
    words = ""
    if one.candidate is not None:
        old = picture.prompt_of(one.candidate.parent)
        words = _words(old, one.candidate.prompt)
    modification, end = _modification(one), one.end
    if end is None:
        return (number, Content.styled("…", "$text-muted"), votes, "", words, "", "", "", modification)
    return (
        number,
        _verdict(one),
        votes or (f"{end.wins}:{end.losses}" if end.wins or end.losses else ""),
        _rate(end),
        words,
        count(tokens(end), estimated=end.estimated),
        usd(end.cost_usd, estimated=end.estimated),
        duration(end.seconds),
        modification or end.note,
    )


@lru_cache(maxsize=512)
def _words(old: str, new: str) -> str:
    """What two prompts differ by; a row is made anew at each vote, and long prompts take long to compare."""
    added, removed = words_changed(word_diff(old, new))
    return f"+{added} -{removed}"


def _rate(end: RoundFinished) -> str:
    if end.win_rate is None:
        return ""
    if end.win_interval is None:
        return percent(end.win_rate)
    low, high = end.win_interval
    return f"{percent(end.win_rate)} ({percent(low)} to {percent(high)})"


def scored_cells(picture: Picture, one: RoundPicture) -> tuple[Content | str, ...]:
    """A round with the score of the prompt that leads it or was kept."""
    leading, end = one.scores.leading, one.end
    score = interval = words = ""
    if end is not None and end.score is not None and end.score_interval is not None:
        score, interval = points(end.score), _interval(*end.score_interval)
    elif leading is not None:
        score, interval = points(leading.score), _interval(leading.low, leading.high)
    budget = end.edit_budget if end is not None else one.scores.shown and one.scores.shown.edit_budget
    if one.candidate is not None and one.candidate.words_changed is not None:
        words = f"{one.candidate.words_changed}" + ("" if budget is None else f" of {budget}")
    modification = _modification(one)
    prompts = str(len(one.scores.found) or "")
    if end is None:
        under_way = Content.styled("…", "$text-muted")
        return (_number(picture, one), under_way, score, interval, prompts, words, "", "", "", modification)
    return (
        _number(picture, one),
        _verdict(one),
        score,
        interval,
        prompts,
        words,
        count(tokens(end), estimated=end.estimated),
        usd(end.cost_usd, estimated=end.estimated),
        duration(end.seconds),
        modification or end.note,
    )


def tokens(end: RoundFinished) -> int:
    """What a round took, both ways."""
    return end.prompt_tokens + end.completion_tokens


def _number(picture: Picture, one: RoundPicture) -> Content | str:
    is_best = one.number == picture.best
    return Content.styled(f"{one.number}*", "bold $accent") if is_best else str(one.number)


def _verdict(one: RoundPicture) -> Content:
    outcome = one.outcome or ""
    return Content.styled(verdict(outcome, one.judged), _TONES.get(outcome, ""))


def _modification(one: RoundPicture) -> str:
    return " ".join(one.candidate.modification.split()) if one.candidate else ""


def _interval(low: float, high: float) -> str:
    return f"{points(low)} to {points(high)}"
