"""Planted landscapes: worlds in which it is known exactly what every prompt is worth.

A prompt is a set of sentences. Each sentence has a hidden effect: some help, more of them hurt, most do
little, some only on one kind of row, and some pairs interact. A row has a kind and a difficulty. A mark is
a fixed function of (prompt, row): right with the probability that effects and difficulty give, and the same
whenever it is asked. So a score on some rows is as noisy as a real one, and the true value is known.

    world = World(7)                       # the same world for the same number, everywhere
    flat = World(7, headroom=False)        # no sentence helps: the best prompt is the seed
    world.value(prompt)                    # the true score, 0..1: the mean over all rows of its kind
    world.mark(prompt, 12)                 # whether row 12 is answered right with it
    world.dataset(train=40, evals=48)       # rows; row N asks "Row N." and expects "green" or "red"

`Models(world)` plays every role by the text of a request, so it fits behind any provider, server or function:

    models = Models(world, quality=0.3)    # of 10 edits the optimizer makes, 3 are chosen well, 7 at random
    models.reply(text, nonce)              # one reply; the nonce tells apart replies to the same text

Any sentence has an effect, also one that no vocabulary knows: it is drawn by a hash of its words. Solved rows
in front of a question (demonstrations) have effects, too. It measures search, not language: no sentence means
anything here, and an optimizer learns nothing from a text that it is shown but prompts and their scores.
"""

import math
import random
import re
from functools import cached_property, lru_cache
from hashlib import blake2b
from statistics import NormalDist
from typing import Final, Literal, NamedTuple

from spotui.domain.rows import Row
from spotui.engine.demonstrations import CLOSE, LEAD
from spotui.templates.data.load import Dataset

KINDS: Final = 4
"""Kinds of rows."""

DIFFICULTY: Final = 1.7
"""The standard deviation of a row's difficulty, in logits: some rows are nearly always right, some never."""

SEED_PROMPT: Final = "Say which colour the row has."
START: Final = -0.2
"""The seed prompt's logit on a row of mean difficulty: about 46 of 100 are right."""

MOST: Final = 2.5
"""What all effects together can bring at most, in logits: the second good sentence brings less."""

_VERBS: Final = "Check Name List Weigh Compare Repeat Quote Count Sort Mark Sketch Question"
_NOUNS: Final = "rule unit edge order source reason sign limit pattern colour shape number"
VOCABULARY: Final = tuple(f"{verb} the {noun} first." for verb in _VERBS.split() for noun in _NOUNS.split())
"""The sentences that the optimizer writes."""

_SENTENCE: Final = re.compile(r"[^.!?\n]+")
_ROW: Final = re.compile(r"\brow (\d+)\b", re.IGNORECASE)
_FRAME: Final = frozenset(
    {LEAD.casefold(), CLOSE.casefold().rstrip("."), "answer: green", "answer: red"},
)
"""The words around demonstrations, which do nothing."""

_SHARE_OF_PAIRS: Final = 0.2
_NORMAL: Final = NormalDist()


@lru_cache(maxsize=4096)  # a prompt is read again for each of its rows
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a prompt, each once, in an order of their own; rows and single words are none."""
    found = {" ".join(one.split()).casefold() for one in _SENTENCE.findall(text)} - _FRAME
    return tuple(sorted(one for one in found if " " in one and not _ROW.search(one)))


def solved_rows(text: str) -> tuple[int, ...]:
    """The rows that a prompt shows with their answers."""
    return tuple(sorted(set(map(int, _ROW.findall(text)))))


@lru_cache(maxsize=4096)
def _key(prompt: str) -> tuple[str, ...]:
    return (*sentences(prompt), *(f"row {one}" for one in solved_rows(prompt)))


class _Known(NamedTuple):
    """What is known of a prompt: its logit on each kind of row, and the key of its marks."""

    logits: tuple[float, ...]
    key: bytes


class World:
    """One landscape.

    Args:
        number: Which; everything hidden is drawn from it.
        headroom: Whether there is anything to gain.
        spread: What effects are multiplied with.
    """

    def __init__(self, number: int, *, headroom: bool = True, spread: float = 1.0) -> None:
        self.number = number
        self.seed_prompt = SEED_PROMPT
        self._headroom = headroom
        self._spread = spread
        self._effects: dict[str, tuple[float, ...]] = {}
        self._pairs: dict[tuple[str, str], float] = {}
        self._prompts: dict[tuple[str, ...], _Known] = {}
        self._rows: dict[int, tuple[int, float]] = {}
        self._references: dict[int, str] = {}

    def row(self, number: int) -> Row:
        """The row of that number, 0 or more."""
        return Row(f"Row {number}.", (self.reference(number),), file="world", line=number + 1)

    def reference(self, number: int) -> str:
        """The answer that is right for a row."""
        if number not in self._references:
            self._references[number] = "green" if self._uniform("reference", number) < 0.5 else "red"
        return self._references[number]

    def dataset(self, train: int = 40, evals: int = 48, test: int = 0) -> Dataset:
        """Rows for a run, each in one split only.

        Args:
            train: Rows that prompts are written from.
            evals: Rows that prompts are chosen by.
            test: Rows that nothing sees before the end.
        """
        rows = tuple(self.row(number) for number in range(train + evals + test))
        return Dataset(rows[:train], rows[train : train + evals], rows[train + evals :])

    def mark(self, prompt: str, row: int) -> bool:
        """Whether a row is answered right with a prompt; rows in the prompt are demonstrations.

        Args:
            prompt: The prompt.
            row: The row's number.
        """
        known = self._known(_key(prompt))
        if row not in self._rows:
            rng = self._random("row", row)
            self._rows[row] = rng.randrange(KINDS), rng.gauss(0, DIFFICULTY)
        kind, difficulty = self._rows[row]
        right = 1 / (1 + math.exp(difficulty - known.logits[kind]))
        digest = blake2b(b"%d" % row, digest_size=8, key=known.key).digest()
        return int.from_bytes(digest, "big") / 2**64 < right

    def value(self, prompt: str) -> float:
        """The true score of a prompt: its mean mark over all rows that there could be."""
        return math.fsum(map(_mean_mark, self._known(_key(prompt)).logits)) / KINDS

    @cached_property
    def best(self) -> float:
        """The true score of a very good prompt: the best sentence is added while one helps, ten at most."""
        prompt = self.seed_prompt
        for _ in range(10):
            after = max((f"{prompt} {one}" for one in VOCABULARY if one not in prompt), key=self.value)
            if self.value(after) <= self.value(prompt):
                break
            prompt = after
        return self.value(prompt)

    def _known(self, key: tuple[str, ...]) -> "_Known":
        if (known := self._prompts.get(key)) is not None:
            return known
        own = [one for one in key if one != SEED_PROMPT.casefold().rstrip(".")]
        sums = [0.0] * KINDS
        for one in own:
            sums = [so_far + effect for so_far, effect in zip(sums, self._effect(one), strict=True)]
        pairs = math.fsum(self._pair(one, other) for at, one in enumerate(own) for other in own[at + 1 :])
        logits = tuple(START + MOST * math.tanh((one + pairs) / MOST) for one in sums)
        digest = blake2b(f"{self.number}/{key}".encode(), digest_size=16).digest()
        known = self._prompts[key] = _Known(logits, digest)
        return known

    def _effect(self, sentence: str) -> tuple[float, ...]:
        """What a sentence does to each kind of row, in logits."""
        if sentence not in self._effects:
            rng = self._random("sentence", sentence)
            draw = rng.random()
            if sentence.startswith("row "):  # a demonstration
                effect = rng.gauss(0.1, 0.2)
            elif draw < 0.15:
                effect = abs(rng.gauss(0.4, 0.15))
            elif draw < 0.5:
                effect = -abs(rng.gauss(0.3, 0.2))
            else:
                effect = rng.gauss(0.0, 0.06)
            kinds = [self._spread * effect * (1 + rng.gauss(0, 0.6)) for _ in range(KINDS)]
            self._effects[sentence] = tuple(kinds if self._headroom else [min(0.0, one) for one in kinds])
        return self._effects[sentence]

    def _pair(self, one: str, other: str) -> float:
        """What two sentences do together, on top of what each does."""
        if (one, other) not in self._pairs:
            draw = self._uniform("pair", one, other) / _SHARE_OF_PAIRS
            effect = _NORMAL.inv_cdf(min(draw, 1 - 1e-9)) * 0.2 * self._spread if 0 < draw < 1 else 0.0
            self._pairs[one, other] = effect if self._headroom else min(0.0, effect)
        return self._pairs[one, other]

    def _random(self, *of: object) -> random.Random:
        return random.Random(f"{self.number}/{of}")

    def _uniform(self, *of: object) -> float:
        digest = blake2b(f"{self.number}/{of}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64


_DIFFICULTIES: Final = tuple(DIFFICULTY * _NORMAL.inv_cdf((at + 0.5) / 64) for at in range(64))


@lru_cache(maxsize=100_000)
def _mean_mark(logit: float) -> float:
    return math.fsum(1 / (1 + math.exp(one - logit)) for one in _DIFFICULTIES) / len(_DIFFICULTIES)


class Shown(NamedTuple):
    """A prompt that the optimizer sees, with its score of 100 where it has one."""

    text: str
    score: float = 0.0


_CURRENT: Final = re.compile(
    r"<(current_prompt|best_prompt|parent_prompt|prompt)>\n?(?P<text>[^<]*)</\1>|```\n(?P<fenced>[^`]*)\n```"
)
_OTHER: Final = re.compile(r"<other_prompt>(?P<text>[^<]*)</other_prompt>")
_PAST: Final = re.compile(r"<past_prompts>(?P<text>.*?)</past_prompts>", re.DOTALL)
_ATTEMPT: Final = re.compile(
    r"^Prompt of (?P<name>round [^:]*):(?:(?!\n\n).)*?^Text: (?P<text>.*?)$", re.MULTILINE | re.DOTALL
)
_REWORK: Final = re.compile(r"start from the prompt of (?P<name>round [^:]*?) above")
_SCORE: Final = re.compile(r"^Score: (?P<score>[\d.]+)$", re.MULTILINE)
_OWN_SCORE: Final = re.compile(r"Its score is (?P<score>[\d.]+) of 100")
_BUDGET: Final = re.compile(r"by at most (?P<words>\d+) words")
_ANSWERS: Final = re.compile(r"<answers_of_(?P<side>[AB])>(?P<text>.*?)</answers_of_(?P=side)>", re.DOTALL)
_ANSWERED: Final = re.compile(r"Question \d+: Row (?P<row>\d+)\.\nAnswer \d+: (?P<answer>\w+)")
_WORDS_A_SENTENCE: Final = 4
_LOOKED_AT: Final = 6


class Models:
    """All three roles in a world, by the text of a request.

    Args:
        world: The world.
        quality: How many of the optimizer's edits are chosen well, 0..1: the best of a few that come to its
            mind. The others are drawn at random.
        accuracy: How often a vote goes to the side with more right answers, 0.5..1.
    """

    def __init__(self, world: World, *, quality: float = 0.3, accuracy: float = 0.8) -> None:
        self.world = world
        self._quality = quality
        self._accuracy = accuracy

    def reply(self, text: str, nonce: object = 0) -> str:
        """The reply to a request.

        Args:
            text: All its messages, one after another.
            nonce: What it is asked for: replies to the same text with other nonces are drawn anew.
        """
        kind = kind_of(text)
        if kind == "answer":
            return self._answer(text)
        rng = random.Random(f"{self.world.number}/{nonce}/{text}")
        match kind:
            case "vote":
                return self._vote(text, rng)
            case "propose":
                prompt = self._propose(text, rng)
                parts = {"analyse": "Tried.", "modification": "Edited.", "prompt": prompt}
                return "\n".join(f"<{name}>{part}</{name}>" for name, part in parts.items())
            case "reflect":
                return f"```\n{self._propose(text, rng)}\n```"
            case "note":
                return "Be clearer."

    def _answer(self, text: str) -> str:
        asked = [*_ROW.finditer(text)][-1]  # those before it are demonstrations
        row = int(asked[1])
        right = self.world.reference(row)
        is_right = self.world.mark(text[: asked.start()] + text[asked.end() :], row)
        return right if is_right else {"green": "red", "red": "green"}[right]

    def _vote(self, text: str, rng: random.Random) -> str:
        right = {"A": 0, "B": 0}
        for found in _ANSWERS.finditer(text):
            for row, answer in _ANSWERED.findall(found["text"]):
                right[found["side"]] += answer == self.world.reference(int(row))
        if right["A"] == right["B"]:
            choice = rng.choice("AB")
        else:
            better, worse = sorted("AB", key=lambda side: right[side], reverse=True)
            choice = better if rng.random() < self._accuracy else worse
        return f"<analyse>{right['A']} against {right['B']}.</analyse>\n<choose>{choice}</choose>"

    def _propose(self, text: str, rng: random.Random) -> str:
        """An edit of the current prompt, or of the best one that is shown."""
        current = [Shown(found["text"] or found["fenced"] or "") for found in _CURRENT.finditer(text)]
        if not current:
            current = [Shown(SEED_PROMPT)]
        if other := _OTHER.search(text):
            return _merged(current[0].text, other["text"])
        if rework := _REWORK.search(text):
            attempts = {found["name"]: found["text"] for found in _ATTEMPT.finditer(text)}
            current = [Shown(attempts[rework["name"]])]
        score = _OWN_SCORE.search(text)
        shown = [Shown(current[0].text, float(score["score"]) if score else 0.0), *_past(text)]
        base = max(shown, key=lambda one: one.score) if rng.random() < 0.5 else shown[0]
        budget = _BUDGET.search(text)
        most = max(1, int(budget["words"]) // (2 * _WORDS_A_SENTENCE)) if budget else 3
        edits = 1
        while edits < most and rng.random() < 0.4:
            edits += 1
        prompt = base.text
        for _ in range(edits):
            prompt = self.edit(prompt, rng)
        return prompt

    def edit(self, prompt: str, rng: random.Random) -> str:
        """One sentence more, less or another; well chosen as often as the optimizer's quality says."""
        number = _LOOKED_AT if rng.random() < self._quality else 1
        return max((_edited(prompt, rng) for _ in range(number)), key=self.world.value)


def kind_of(text: str) -> Literal["vote", "propose", "reflect", "answer", "note"]:
    """What a request asks for, by the form of the reply it wants."""
    if "<answers_of_A>" in text:
        return "vote"
    if "<prompt>..." in text:
        return "propose"
    if "within ``` blocks" in text:
        return "reflect"
    return "note" if "exactly this form" in text or not _ROW.search(text) else "answer"


def _past(text: str) -> list[Shown]:
    found = _PAST.search(text)
    if found is None:
        return []
    *parts, _ = _SCORE.split(found["text"].strip() + "\n")
    return [Shown(prompt, float(score)) for prompt, score in zip(parts[::2], parts[1::2], strict=False)]


def _merged(one: str, other: str) -> str:
    """All sentences of two prompts."""
    return " ".join(dict.fromkeys([*_split(one), *_split(other)]))


def _split(prompt: str) -> list[str]:
    return [f"{' '.join(one.split())}." for one in _SENTENCE.findall(prompt) if one.strip()]


def _edited(prompt: str, rng: random.Random) -> str:
    own = _split(prompt)
    extra = [at for at, one in enumerate(own) if one != SEED_PROMPT]
    new = rng.choice(VOCABULARY)
    draw = rng.random()
    if extra and draw < 0.25:
        own.pop(rng.choice(extra))
    elif extra and draw < 0.5:
        own[rng.choice(extra)] = new
    elif new not in own:
        own.append(new)
    return " ".join(own)
