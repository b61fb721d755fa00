"""One mark for each question and round: better, the same or worse, or an error; and for rows the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

from spotui.domain.events import CandidateScored, FinalCheckFinished
from spotui.lang import N_, _
from spotui.view.headline import marks_by_row
from spotui.view.picture import Picture, RoundPicture

Filter = Literal["all", "changed", "never better", "errors"]
"""Which columns are shown: all, those better or worse in any round, those never better, those with errors."""

FILTERS: Final[tuple[Filter, ...]] = get_args(Filter)

CHECK: Final = 0
"""The number of the row of the final check, which belongs to no round."""

BETTER, SAME, WORSE, ERROR, VOID, ANSWERED, RIGHT, WRONG, PARTLY, OPEN = "+=-!?·✓✗~ "

MEANINGS: Final = {
    BETTER: N_("better"),
    SAME: N_("the same"),
    WORSE: N_("worse"),
    ERROR: N_("error"),
    VOID: N_("no valid vote"),
    ANSWERED: N_("answered, not judged by question"),
    RIGHT: N_("right"),
    WRONG: N_("wrong"),
    PARTLY: N_("partly right"),
    OPEN: N_("nothing yet"),
}
"""What the marks of cells mean; each is one cell wide, and tells without its colour."""

TONES: Final = {
    BETTER: "win",
    RIGHT: "win",
    SAME: "faint",
    ANSWERED: "faint",
    WORSE: "loss",
    WRONG: "loss",
    PARTLY: "tie",
    ERROR: "error",
    VOID: "error",
    OPEN: "faint",
}

MOST_COLUMNS: Final = 2000
"""Questions or rows that have a column; nobody reads more."""

_OF_CHOICES: Final = {"win": BETTER, "tie": SAME, "loss": WORSE, "void": VOID}


class _Seen(NamedTuple):
    candidate: object
    end: object
    answers: int
    votes: int
    scores: object


@dataclass
class QuestionGrid:
    """The marks of every round; a round that has not changed is not looked at again.

    Attributes:
        rows: A text of marks for each round, one character a question; `CHECK` for the final check.
        columns: How many questions or rows there are.
        is_scored: Whether prompts are scored on rows; marks are against the seed then, else against the best
            of that time.
    """

    rows: dict[int, str] = field(default_factory=dict)
    columns: int = 0
    is_scored: bool = False
    _seen: dict[int, _Seen] = field(default_factory=dict)
    _filtered: dict[Filter, tuple[int, ...]] = field(default_factory=dict)

    def update(self, picture: Picture) -> set[int]:
        """Take in what has changed; returns the rounds whose marks are others."""
        if not self._seen.keys() <= picture.rounds.keys() or picture.is_scored != self.is_scored:
            self.rows.clear()
            self._seen.clear()
        self.is_scored = picture.is_scored
        changed: set[int] = set()
        columns = min(MOST_COLUMNS, _columns(picture))
        if columns != self.columns:
            self.columns = columns
            self._seen.clear()
        for number, one in sorted(picture.rounds.items()):
            votes = sum(len(entry.votes) for entry in one.entries.values())
            seen = _Seen(one.candidate, one.end, len(one.answers), votes, _scored(picture, one))
            if seen != self._seen.get(number):
                self._seen[number] = seen
                self._put(number, self._marks(picture, one), changed)
        if isinstance(picture.check, FinalCheckFinished):
            marks = [_OF_CHOICES[choice] for choice in picture.check.rows]
            self._put(CHECK, marks, changed)
        else:
            self.rows.pop(CHECK, None)
        if changed:
            self._filtered.clear()
        return changed

    def chosen(self, choice: Filter) -> tuple[int, ...]:
        """The columns that a filter leaves."""
        if choice not in self._filtered:
            self._filtered[choice] = tuple(self._chosen(choice))
        return self._filtered[choice]

    def _chosen(self, choice: Filter) -> Iterable[int]:
        if choice == "all":
            return range(self.columns)
        rows = list(self.rows.values())
        found = ("".join(row[column] for row in rows) for column in range(self.columns))
        tests = {
            "changed": lambda marks: BETTER in marks or WORSE in marks,
            "never better": lambda marks: BETTER not in marks and RIGHT not in marks,
            "errors": lambda marks: ERROR in marks or VOID in marks,
        }
        return [column for column, marks in enumerate(found) if tests[choice](marks)]

    def _put(self, number: int, marks: Sequence[str], changed: set[int]) -> None:
        text = "".join(marks)[: self.columns].ljust(self.columns)
        if self.rows.get(number) != text:
            self.rows[number] = text
            changed.add(number)

    def _marks(self, picture: Picture, shown: RoundPicture) -> list[str]:
        of = _of_scores if self.is_scored else _of_votes
        return of(picture, shown, self.columns)


def _columns(picture: Picture) -> int:
    if picture.is_scored:
        rows = picture.opened.rows.get("eval", 0) if picture.opened is not None else 0
        seed = picture.rounds.get(1)
        found = _scored(picture, seed) if seed is not None else None
        return max(rows, max(marks_by_row(found), default=-1) + 1 if found is not None else 0)
    asked = len(picture.opened.questions) if picture.opened is not None else 0
    checked = len(picture.check.rows) if isinstance(picture.check, FinalCheckFinished) else 0
    return max(asked, checked, *(max(one.answers, default=-1) + 1 for one in picture.rounds.values()))


def _scored(picture: Picture, shown: RoundPicture) -> CandidateScored | None:
    """The score of the round's prompt."""
    prompt = picture.prompt_of(1) if shown.number == 1 else shown.candidate.prompt if shown.candidate else ""
    return shown.scores.by_prompt.get(prompt)


def _of_scores(picture: Picture, shown: RoundPicture, columns: int) -> list[str]:
    """The marks of the round's prompt beside those of the seed; of the seed itself, how right it is."""
    found = _scored(picture, shown)
    if found is None:
        return []
    own = marks_by_row(found)
    seed = picture.rounds.get(1)
    start = _scored(picture, seed) if seed is not None and shown.number != 1 else None
    before = marks_by_row(start) if start is not None else {}
    return [_mark(own, before, row, is_seed=shown.number == 1) for row in range(columns)]


def _mark(own: dict[int, float | None], before: dict[int, float | None], row: int, *, is_seed: bool) -> str:
    if row not in own:
        return OPEN
    mark = own[row]
    if mark is None:
        return ERROR
    old = before.get(row)
    if is_seed or old is None:
        return RIGHT if mark >= 1 else WRONG if mark <= 0 else PARTLY
    return BETTER if mark > old else WORSE if mark < old else SAME


def _of_votes(picture: Picture, shown: RoundPicture, columns: int) -> list[str]:
    """Answers, with what the judge or a person said of each; the same text as the best's is the same."""
    marks = [OPEN] * columns
    best = picture.rounds.get(shown.best)
    others = best.answers if best is not None else {}
    for index, answered in shown.answers.items():
        if not 0 <= index < columns:
            continue
        is_same = index in others and others[index].answer.strip() == answered.answer.strip()
        marks[index] = ERROR if answered.error else SAME if is_same else ANSWERED
    judged = shown.end.by_question if shown.end is not None else ()
    if judged:
        both = [
            index
            for index in sorted(shown.answers)
            if not shown.answers[index].error and not (index in others and others[index].error)
        ]
        if len(both) == len(judged):
            for index, choice in zip(both, judged, strict=True):
                if 0 <= index < columns:
                    marks[index] = _OF_CHOICES[choice]
    for vote in shown.votes:
        if vote.question is not None and 0 <= vote.question < columns:
            marks[vote.question] = _OF_CHOICES[vote.choice]
    return marks


def meaning(mark: str, number: int, *, is_scored: bool) -> str:
    """What a cell says, in words.

    Args:
        mark: Its mark.
        number: Its round, or `CHECK`.
        is_scored: Whether prompts are scored on rows.
    """
    word = _(MEANINGS[mark])
    if mark not in {BETTER, SAME, WORSE}:
        return word
    if is_scored or number == CHECK:
        return {
            BETTER: _("better than the seed"),
            SAME: _("the same as the seed"),
            WORSE: _("worse than the seed"),
        }[mark]
    return {
        BETTER: _("better than the best of that time"),
        SAME: _("the same as the best of that time"),
        WORSE: _("worse than the best of that time"),
    }[mark]
