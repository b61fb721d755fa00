"""Reasons that come again and again: what judges, and models that write notes, say of the candidates.

Reasons are grouped by the words they share, without a model, so that the count can be checked by reading.
Each reason is split into sentences; quoted text, numbers, names of answers and words without content are
left out, and endings are cut. Two sentences belong together if at least half of all their words are the same,
and at least two of them. A group is shown by its shortest sentence, and counts each reason once.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from spotui.view.picture import Picture

GROUPS_KEPT: Final = 500
"""Groups that are compared with new sentences; then those with a single reason give way, the oldest first."""

_ALIKE: Final = 0.5
_FEWEST_SHARED: Final = 2
_LONGEST: Final = 400

_QUOTED: Final = re.compile(r"\"[^\"\n]*\"|“[^”\n]*”|`[^`\n]*`|「[^」\n]*」|(?<!\w)'[^'\n]*'(?!\w)")
_SENTENCES: Final = re.compile(r"(?<=[.!?;])\s+|[。！？；\n]+")
_WORDS: Final = re.compile(r"[^\W\d_]{2,}")
_WIDE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")
_ENDINGS: Final = re.compile(r"(?:ingly|ings|ing|edly|ed|ies|es|s|ly)$")
_EMPTY: Final = re.compile(
    r"about|after|all|also|although|an|and|answer|answers|any|are|as|at|be|because|been|before|being|"
    r"better|both|but|by|can|candidate|could|did|do|does|each|else|even|every|first|for|from|given|"
    r"had|has|have|he|her|his|how|however|if|in|into|is|it|its|itself|just|less|made|make|makes|many|"
    r"may|might|more|most|much|must|new|no|nor|not|of|on|one|only|or|other|others|our|out|over|own|"
    r"prompt|provide|provides|question|questions|rather|response|responses|same|second|set|sets|she|"
    r"should|since|so|some|such|than|that|the|their|them|then|there|these|they|this|those|though|"
    r"through|to|too|two|under|until|up|use|used|uses|very|was|well|were|what|when|where|whereas|"
    r"which|while|who|why|will|with|would|yes|you|your"
)
"""Words without content."""


@dataclass
class Group:
    """Reasons that say the same.

    Attributes:
        text: The shortest of their sentences.
        count: How many reasons there are.
        wins: How many of them are of votes for the candidate.
        losses: How many are of votes against it.
        words: The words of the sentence that began it.
    """

    text: str
    words: frozenset[str]
    count: int = 0
    wins: int = 0
    losses: int = 0


@dataclass
class Reasons:
    """The groups of a run's reasons; each reason is taken in once.

    Attributes:
        groups: All groups, those with a single reason included.
        total: How many reasons there were.
    """

    groups: list[Group] = field(default_factory=list)
    total: int = 0
    _taken: dict[tuple[int, int], int] = field(default_factory=dict)
    _notes: dict[int, int] = field(default_factory=dict)
    _by_word: defaultdict[str, list[Group]] = field(default_factory=lambda: defaultdict(list))

    def update(self, picture: Picture) -> bool:
        """Take in what is new; whether anything is."""
        before = self.total
        if any(number not in picture.rounds for number, _candidate in self._taken):
            self.groups.clear()
            self._taken.clear()
            self._notes.clear()
            self._by_word.clear()
            self.total = 0
        for number, one in sorted(picture.rounds.items()):
            for candidate, entry in one.entries.items():
                taken = self._taken.get((number, candidate), 0)
                self._taken[number, candidate] = len(entry.votes)
                for vote in entry.votes[taken:]:
                    if vote.reason and vote.voter != "human":
                        self.take(vote.reason, vote.choice)
            noted = self._notes.get(number, 0)
            self._notes[number] = len(one.scores.notes)
            for note in one.scores.notes[noted:]:
                self.take(note.text)
        return self.total != before

    def take(self, reason: str, choice: str = "") -> None:
        """Take in a reason.

        Args:
            reason: One sentence or several.
            choice: The vote that it belongs to, from the candidate's side; empty where it belongs to none.
        """
        self.total += 1
        counted: list[Group] = []
        for sentence in sentences(reason):
            words = content_words(sentence)
            if len(words) < _FEWEST_SHARED:
                continue
            group = self._alike(words)
            if group is None:
                group = Group(sentence, words)
                self.groups.append(group)
                for word in words:
                    self._by_word[word].append(group)
            elif len(sentence) < len(group.text):
                group.text = sentence
            if any(group is one for one in counted):
                continue
            counted.append(group)
            group.count += 1
            group.wins += choice == "win"
            group.losses += choice == "loss"
        if len(self.groups) > GROUPS_KEPT:
            self._give_way()

    @property
    def recurring(self) -> list[Group]:
        """The groups with more than one reason, the most frequent first."""
        return sorted((one for one in self.groups if one.count > 1), key=lambda one: -one.count)

    def _alike(self, words: frozenset[str]) -> Group | None:
        """The group that shares the most words, if they are enough.

        Of groups that share half of all words, each has one of any larger half of the sentence's own, so only
        those are compared that have one of its rarest words.
        """
        rare = sorted(words, key=lambda word: len(self._by_word.get(word, ())))[: len(words) // 2 + 1]
        best, best_share = None, 0.0
        for group in {id(one): one for word in rare for one in self._by_word.get(word, ())}.values():
            shared = len(words & group.words)
            share = shared / len(words | group.words)
            if shared >= _FEWEST_SHARED and share >= _ALIKE and share > best_share:
                best, best_share = group, share
        return best

    def _give_way(self) -> None:
        single = [one for one in self.groups if one.count == 1][: GROUPS_KEPT // 4]
        if not single:
            return
        gone = {id(one) for one in single}
        self.groups = [one for one in self.groups if id(one) not in gone]
        self._by_word = defaultdict(list)
        for group in self.groups:
            for word in group.words:
                self._by_word[word].append(group)


def sentences(reason: str) -> list[str]:
    """A reason taken apart, without white space around the parts."""
    parts = (" ".join(part.split()) for part in _SENTENCES.split(reason))
    return [part[:_LONGEST] for part in parts if part]


def content_words(sentence: str) -> frozenset[str]:
    """The words that say something, without their endings; of Chinese and Japanese, pairs of characters."""
    bare = _QUOTED.sub(" ", sentence).casefold()
    wide = {run[at : at + 2] for run in _WIDE.findall(bare) for at in range(len(run) - 1)}
    words = (word for word in _WORDS.findall(_WIDE.sub(" ", bare)) if not _EMPTY.fullmatch(word))
    return frozenset(wide | {_ENDINGS.sub("", word) if len(word) > 4 else word for word in words})
