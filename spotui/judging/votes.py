"""Ballots and votes: what a judge is shown, how its reply is read, and the votes of people."""

import json
import random
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec

from spotui.domain.lazy_pattern import LazyPattern
from spotui.domain.tags import read_exact_form, read_form, without_tagged
from spotui.domain.verdicts import Choice, Order
from spotui.lang import N_, _


class Ballot(msgspec.Struct, frozen=True):
    """One comparison to ask for.

    Attributes:
        index: Its number in the duel, from 0.
        order: AB shows the best as A and the candidate as B; BA the other way round.
    """

    index: int
    order: Order


def alternating(count: int) -> tuple[Ballot, ...]:
    """Ballots in the one order and the other by turns, so that a taste for a position never gets ahead."""
    return tuple(Ballot(index, "AB" if index % 2 == 0 else "BA") for index in range(count))


def coin_flips(count: int, rng: random.Random) -> tuple[Ballot, ...]:
    """The reference's way: every ballot's order by chance, whatever the others' are."""
    return tuple(Ballot(index, "AB" if rng.random() < 0.5 else "BA") for index in range(count))


Side = Literal["A", "B", "tie"]

_TAG = LazyPattern(r"</?\w+\s*>")
_WORD = LazyPattern(r"[a-z\u00c0-\u024f]+|[\u4e00-\u9fff]+|[^\W\d_a-z\u00c0-\u024f\u4e00-\u9fff]+|\w")
"""A word: of Latin letters, of Chinese characters, or of another script's."""

_LETTERS = str.maketrans({"а": "a", "в": "b", "α": "a", "β": "b"})
"""Letters that look like A and B in other alphabets, and are written for them."""

_FILLERS = frozenset(
    (
        *("answer", "answers", "assistant", "better", "best", "choice", "choose", "i", "is"),
        *("of", "option", "response", "set", "the", "wins", "winner"),
        *("回答", "答案", "助手", "选项", "模型", "选", "选择", "我选", "我选择"),
        *("的回答", "是", "更好", "更佳", "较好", "胜", "胜出", "获胜", "は", "の", "です", "回答は"),
        *("antwort", "réponse", "respuesta", "resposta", "risposta", "ответ", "вариант", "답변", "답"),
    )
)
_TIES = frozenset(
    (
        *("tie", "tied", "draw", "equal", "neither", "both", "none"),
        *("平局", "平手", "一样", "一样好", "不分上下", "都不是", "引き分け", "무승부", "ничья"),
        *("unentschieden", "gleichstand", "égalité", "empate", "pareggio"),
    )
)
_CHOICE = LazyPattern(r"<choose\s*>", re.IGNORECASE)
_PAIR = LazyPattern(r"<choose\s*>((?:(?!<choose\s*>).)*?)</choose\s*>", re.IGNORECASE | re.DOTALL)
_DOTTED = LazyPattern(r"<choose\s*>\s*(?:\.{2,}|…)\s*</choose\s*>", re.IGNORECASE)
"""A choose tag of the form, copied as it is."""

PARTS: Final = ("analyse", "choose")
"""The form of a vote."""

_ANALYSES = ("think", "analyse", "analyze", "analysis")
_JSON = LazyPattern(r"(?:```\w*\s*)?(\{.*\})\s*(?:```)?", re.DOTALL)
_CHOICE_KEY, _EVIDENCE_KEY = "choice", "evidence"


@lru_cache(maxsize=32)  # a reply is read once to see whether there is a vote, and once to count it
def read_side(reply: str, *, exactly: bool = False, is_whole: bool = True) -> Side | None:
    """The side a reply chooses, or None when it makes no clear choice.

    The last complete choose tag outside the analysis decides, or the last one that was opened: what an
    analysis quotes is no choice, and neither is what stands in the middle of a sentence. A reply that is a
    JSON object decides by its `choice`. Without any of these, a reply whose last line is nothing but a choice
    is clear enough, and then a choice that is marked nearly as it should be: see `read_form`.

    Args:
        reply: What the judge wrote.
        exactly: Whether nearly is not enough, as in runs of earlier editions.
        is_whole: Whether the model itself ended the reply.
    """
    form = read_exact_form(reply, *PARTS)
    if form and (side := _side(form["choose"])) is not None:
        return side
    if (fields := _json_object(reply)) is not None:
        choice = fields.get(_CHOICE_KEY)
        return _side(choice) if isinstance(choice, str) else None
    if not exactly:
        reply = _DOTTED.sub("", reply)
    for tag in _ANALYSES:
        reply = without_tagged(reply, tag)
    side = _tagged_side(reply)
    if side is None and not exactly:
        nearly = read_form(_PAIR.sub("", reply), *PARTS, is_whole=is_whole)
        side = _side(nearly.get("choose", ""))
    return side


def _tagged_side(reply: str) -> Side | None:
    """The choice of a reply whose complete analysis is left out."""
    if any(f"<{tag}>" in reply.lower() for tag in _ANALYSES):
        return _side_after_open_analysis(reply)
    if pairs := list(_PAIR.finditer(reply)):
        own = [pair for pair in pairs if not _in_a_sentence(reply, pair)]
        return _side(own[-1].group(1)) if own else None
    if opened := list(_CHOICE.finditer(reply)):
        return _side(reply[opened[-1].end() :])
    lines = [line for line in reply.splitlines() if _WORD.search(line.lower())]
    return _side(lines[-1]) if lines else None


def _in_a_sentence(reply: str, pair: re.Match[str]) -> bool:
    """Whether words stand before and behind it on its line: a quotation."""
    before = reply[reply.rfind("\n", 0, pair.start()) + 1 : pair.start()]
    behind = reply[pair.end() :].partition("\n")[0]
    return all(_WORD.search(_TAG.sub("", part).lower()) for part in (before, behind))


def _side_after_open_analysis(reply: str) -> Side | None:
    """The choice of a judge that never closed its analysis: only one that ends the reply is its own."""
    pairs = list(_PAIR.finditer(reply))
    if not pairs or reply[pairs[-1].end() :].strip() or _in_a_sentence(reply, pairs[-1]):
        return None
    before = reply[reply.rfind("\n", 0, pairs[-1].start()) + 1 : pairs[-1].start()]
    return None if before.strip() else _side(pairs[-1].group(1))


def _json_object(reply: str) -> dict[str, object] | None:
    """The JSON object that a reply is, if it is one and nothing else."""
    if "{" not in reply:
        return None
    found = _JSON.fullmatch(without_tagged(reply, "think").strip())
    if found is None:
        return None
    try:
        fields = json.loads(found.group(1), strict=False)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def read_vote(reply: str, order: Order, *, exactly: bool = False, is_whole: bool = True) -> Choice:
    """The vote in a reply, from the candidate's side; void when it makes no clear choice; see `read_side`."""
    side = read_side(reply, exactly=exactly, is_whole=is_whole)
    if side is None:
        return "void"
    if side == "tie":
        return "tie"
    return "win" if (side == "B") == (order == "AB") else "loss"


def read_reason(reply: str) -> str:
    """What the judge gave as its evidence; the whole reply when it did not mark any."""
    if (fields := _json_object(reply)) is not None and isinstance(said := fields.get(_EVIDENCE_KEY), str):
        return said.strip()
    return read_form(reply, *PARTS).get("analyse", reply.strip())


def _side(text: str) -> Side | None:
    plain = unicodedata.normalize("NFKC", text).lower()
    words = [word for word in _WORD.findall(plain) if word not in _FILLERS]
    words = [word.translate(_LETTERS) if len(word) == 1 else word for word in words]
    match words:
        case ["a"]:
            return "A"
        case ["b"]:
            return "B"
        case [tie] | ["it", tie] | ["a", tie] | ["it", "a", tie] if tie in _TIES:
            return "tie"
        case _:
            return None


def pooled(choices: Sequence[Choice]) -> Choice:
    """What more of the votes are for: a win, a loss, or a tie; void when every one of them is."""
    if all(choice == "void" for choice in choices):
        return "void"
    wins, losses = choices.count("win"), choices.count("loss")
    if wins == losses:
        return "tie"
    return "win" if wins > losses else "loss"


_KINDS: Final = {
    "balanced": N_("balanced (reasoned votes, three of four in both orders)"),
    "thorough": N_("thorough (reasoned votes, a lead of five of up to ten in both orders)"),
    "reference": N_("reference (reasoned votes, four in random orders, as in SPO's reference)"),
    "likelihood": N_("likelihood (how likely the requirements make each answer; no reasoning, no order)"),
    "logprob": N_("logprob (the probability of one letter against the other in both orders; no reasoning)"),
}


def judge_in_words(judge: str, unit: str, *, json: bool) -> str:
    """A judge's kind in a few words.

    Args:
        judge: The setting of that name.
        unit: `set` or `row`.
        json: Whether votes are JSON.
    """
    words: list[str] = [_(_KINDS[judge]) if judge in _KINDS else judge]
    if unit == "row" or judge == "likelihood":
        words.append(_("question by question"))
    if json and judge not in {"likelihood", "logprob"}:
        words.append(_("votes as JSON"))
    return ", ".join(words)


class PersonsVote(msgspec.Struct, frozen=True):
    """What a person said.

    Attributes:
        choice: From the candidate's side.
        question: The position of the question it is about, or None for all answers together.
        outranks: Whether it decides alone, whatever the judge says.
    """

    choice: Choice
    question: int | None = None
    outranks: bool = False


class Counted(msgspec.Struct, frozen=True):
    """What people's votes come to.

    Attributes:
        choices: Votes that count beside the judge's, one a person's vote on all answers together.
        decision: What outranks everything, or None.
    """

    choices: tuple[Choice, ...] = ()
    decision: Choice | None = None


def count_people(votes: Sequence[PersonsVote], questions: int) -> Counted:
    """Bring people's votes together.

    Votes on single questions are one vote, once there is one on every question: the side that is better on
    more of them has it. The last vote on a question replaces those before.

    Args:
        votes: In the order they were cast.
        questions: How many questions the duel is about.
    """
    choices: list[Choice] = []
    decision: Choice | None = None
    by_question: dict[int, PersonsVote] = {}
    for vote in votes:
        if vote.question is None:
            choices.append(vote.choice)
            if vote.outranks:
                decision = vote.choice
            continue
        by_question[vote.question] = vote
        if len(by_question) == questions and any(one.outranks for one in by_question.values()):
            decision = pooled([one.choice for one in by_question.values()])
    if by_question and len(by_question) == questions:
        choices.append(pooled([one.choice for one in by_question.values()]))
    return Counted(tuple(choices), decision)
