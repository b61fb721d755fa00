"""What the optimizer was shown for a round, whole."""

from collections.abc import Iterator

from spotui.events import BeamChosen, PastShown
from spotui.view.figures import plural, points
from spotui.view.passage import Part, Passage
from spotui.view.picture import Picture
from spotui.view.scored_story import past_line
from spotui.view.tried_prompts import Prompt


def read_shown(picture: Picture, number: int) -> list[Passage]:
    """Past prompts with similarity and score, edit budget, notes and beam of a round.

    Args:
        picture: The run.
        number: The round.
    """
    one = picture.rounds.get(number)
    if number == 1:
        return [Passage("The seed round proposes nothing: it scores the seed prompt.")]
    if one is None or not (one.scores.shown or one.scores.notes or one.scores.beam):
        return [Passage("Nothing is known of what the optimizer was shown in this round.")]
    found = [*_notes(picture, number)]
    if one.scores.shown is not None:
        found += _past(picture, one.scores.shown)
    if one.scores.beam is not None:
        found += _beam(one.scores.beam)
    return found


def read_prompt(picture: Picture, prompt: Prompt) -> list[Passage]:
    """One prompt, whole: what it changes, and why."""
    before = picture.prompt_of(prompt.parent) if prompt.parent else ""
    parts = [Part("modification", prompt.modification)] if prompt.modification else []
    if prompt.reasoning:
        parts.append(Part("reasoning", prompt.reasoning))
    parts.append(Part("prompt", prompt.text))
    if before and before != prompt.text:
        parts.append(Part(f"against {_round(prompt.parent)}", prompt.text, before))
    changed = "" if prompt.words_changed is None else f"{plural(prompt.words_changed, 'word')} changed"
    return [Passage(prompt.name, changed, tuple(parts), "heading")]


def _past(picture: Picture, shown: PastShown) -> Iterator[Passage]:
    budget = (
        "no edit budget" if shown.edit_budget is None else f"edit budget {plural(shown.edit_budget, 'word')}"
    )
    current = Part("", picture.prompt_of(shown.current))
    yield Passage(f"Current prompt: {_round(shown.current)}", budget, (current,), "heading")
    if not shown.past:
        yield Passage("No earlier prompt was shown.")
    for past in shown.past:
        yield Passage(past_line(past), "", (Part("", past.text),))


def _notes(picture: Picture, number: int) -> Iterator[Passage]:
    notes = picture.rounds[number].scores.notes
    counts: dict[tuple[str, str], int] = {}
    for prompt in dict.fromkeys(note.prompt for note in notes):
        if prompt:
            yield Passage("What was learned of this prompt", "", (Part("", prompt),), "heading")
        own = [note for note in notes if note.prompt == prompt]
        for note in sorted(own, key=lambda one: (one.what == "summary", one.what, one.index)):
            counts[prompt, note.what] = nth = counts.get((prompt, note.what), 0) + 1
            several = sum(one.what == note.what for one in own) > 1
            title = f"{note.what} {nth}" if several else note.what
            yield Passage(title, "", (Part("", note.text or "Nothing was written."),))


def _beam(beam: BeamChosen) -> Iterator[Passage]:
    yield Passage(f"Beam: {plural(len(beam.members), 'prompt')} for the next round", tone="heading")
    for one in beam.members:
        score = f"{points(one.score)} ({points(one.low)} to {points(one.high)})"
        yield Passage(score, f"{plural(one.rows, 'row')}", (Part("", one.prompt),))


def _round(number: int) -> str:
    return "the seed" if number == 1 else f"round {number}"
