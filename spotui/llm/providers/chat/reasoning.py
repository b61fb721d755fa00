"""Reasoning that a model writes into its answer, between marks that differ from family to family.

A server with a parser for its model's marks sends reasoning in a field. Every other server sends it as part
of the text, where it must be separated before anything is judged, marked or shown as an answer.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from spotui.domain.lazy_pattern import LazyPattern


class Marks(NamedTuple):
    """How a family of models marks its reasoning.

    Attributes:
        opening: In front of the reasoning.
        closing: Behind it.
        answer: What may open the answer then, and is not part of it.
        end: What may end the answer, and is not part of it.
        alone: Whether the closing mark means the same without the opening one, which some chat templates put
            into the prompt.
        needs_closing: Whether the opening alone means nothing, as it is made of ordinary words.
    """

    opening: str
    closing: str
    answer: str = ""
    end: str = ""
    alone: bool = True
    needs_closing: bool = False


HARMONY: Final = Marks(
    "<|channel|>analysis<|message|>", "<|end|>", "<|channel|>final<|message|>", "<|return|>", alone=False
)

_FINAL_RESPONSE: Final = "[BEGIN FINAL RESPONSE]"
"""It closes Apriel's reasoning, which the chat template opens in the prompt."""

MARKS: Final = (
    Marks("<think>", "</think>"),  # DeepSeek, Qwen, GLM, MiniMax, Phi, Nemotron, Hunyuan, and most others
    Marks("<thinking>", "</thinking>"),  # Amazon Nova, Reflection
    Marks("<think_fast>", "</think_fast>"),  # K2-V2
    Marks("<think_faster>", "</think_faster>"),
    Marks("&lt;think&gt;", "&lt;/think&gt;"),  # relays that escape what they pass on
    Marks("<antThinking>", "</antThinking>"),  # Claude
    Marks("<thought>", "</thought>"),  # Gemini's compatible endpoint, EXAONE Deep, Marco-o1
    Marks("<thoughts>", "</thoughts>"),
    Marks("<reasoning>", "</reasoning>"),
    Marks("<reasoning_content>", "</reasoning_content>"),
    Marks("<reflection>", "</reflection>", alone=False),  # Reflection, behind its thinking
    Marks("<seed:think>", "</seed:think>"),  # Seed-OSS
    Marks("<longcat_think>", "</longcat_think>"),  # LongCat
    Marks('<details type="reasoning"', "</details>", alone=False),  # Z.ai's and Open WebUI's relays
    Marks("◁think▷", "◁/think▷"),  # Kimi-VL, Kimi K1.5
    Marks("[THINK]", "[/THINK]"),  # Magistral
    Marks("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),  # Command A
    Marks(  # Sky-T1, OpenThinker
        "<|begin_of_thought|>", "<|end_of_thought|>", "<|begin_of_solution|>", "<|end_of_solution|>"
    ),
    Marks("<|thought_begin|>", "<|thought_end|>"),  # MiniCPM
    Marks("<|think|>", "<|end|>", "<|begin|>assistant<|content|>", "<|end|>", alone=False),  # Solar
    Marks("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
    Marks("<|channel>thought", "<channel|>"),  # Gemma 4
    Marks("<unused94>thought", "<unused95>"),  # MedGemma
    Marks("<ctrl94>thought", "<ctrl95>"),  # Gemini, when its own marks leak
    Marks("[unused16]", "[unused17]"),  # openPangu
    Marks("[Start thinking]", "[End thinking]", alone=False),  # llama.cpp's terminal
    HARMONY,  # gpt-oss
    Marks("analysis", "assistantfinal", alone=False, needs_closing=True),  # gpt-oss without special tokens
    Marks("assistantanalysis", "assistantfinal", alone=False, needs_closing=True),
    Marks("Thinking...", "...done thinking.", alone=False, needs_closing=True),  # Ollama's terminal
    Marks("Here is my thought process:", "Here is my response:", alone=False, needs_closing=True),  # Granite
    Marks("Here's my thought process:", "Here's my response:", alone=False, needs_closing=True),
    Marks(  # Apriel
        "Here are my reasoning steps:",
        _FINAL_RESPONSE,
        end="[END FINAL RESPONSE]",
        alone=False,
        needs_closing=True,
    ),
)
"""One line for each family; nothing else knows how reasoning is marked."""

_STREAMED: Final = tuple(marks for marks in MARKS if not marks.needs_closing)
_OF_WORDS: Final = tuple(marks for marks in MARKS if marks.needs_closing)

# Harmony names the channel of each message; what is not for the final one is not for the user.
_HEADER: Final = LazyPattern(
    r"(?:<\|start\|>assistant)?<\|channel\|>\s*(\w+)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>",
    re.IGNORECASE,
)
_HEADER_STARTS: Final = ("<|start|>assistant", "<|channel|>")
_TURNS: Final = (
    *("<|im_start|>assistant", "<|assistant|>", "<｜Assistant｜>", "<start_of_turn>model", "<|turn>model"),
    "<|start_header_id|>assistant<|end_header_id|>",
)
"""What a chat template puts in front of a model's turn, and some models write once more."""

_BLANKS: Final = " \t\r\n\x0b\x0c\xa0\u200b\u2060\u3000\ufeff"
_LONGEST_HEADER: Final = 120
_SENTENCE: Final = 300


def _any_of(*words: str) -> LazyPattern:
    return LazyPattern("|".join(map(re.escape, words)), re.IGNORECASE)


# A harmony message may also lack its end.
_HARMONY_CLOSINGS: Final = (HARMONY.closing, HARMONY.answer, "<|start|>assistant")
_CLOSINGS: Final = {marks: (marks.closing,) for marks in _STREAMED} | {HARMONY: _HARMONY_CLOSINGS}
_SEARCHES: Final = {marks: _any_of(*closings) for marks, closings in _CLOSINGS.items()}

_ENDS: Final = tuple(dict.fromkeys(marks.end for marks in MARKS if marks.end))
_ALONE: Final = tuple(marks for marks in _STREAMED if marks.alone)
_BEGIN_ANSWER: Final = (HARMONY.answer, _FINAL_RESPONSE)
"""Marks that an answer follows, whatever was opened before."""
_ANY_ALONE: Final = _any_of(
    *(mark for marks in _ALONE for mark in (marks.opening, marks.closing)), *_BEGIN_ANSWER
)
_ANY_CLOSING: Final = _any_of(*(marks.closing for marks in _ALONE))
_FIRST_OF_OPENINGS: Final = frozenset(
    opening[0] for opening in (*(marks.opening for marks in _STREAMED), *_HEADER_STARTS)
)
_FIRST_OF_ALONE: Final = frozenset(
    mark[0] for marks in _ALONE for mark in (marks.opening, marks.closing, *_BEGIN_ANSWER)
)
_ANSWERS: Final = frozenset(mark.lower() for mark in _BEGIN_ANSWER)
_CLOSED_BY: Final = {marks.closing.lower(): marks.opening.lower() for marks in _ALONE}


class ReasoningSplitter:
    """Separates reasoning at the start of an answer from the answer, however the pieces are cut.

    Several blocks may follow one another. A block that is never closed is all reasoning: the reply was cut
    while the model still thought. Marks further on are part of the answer, which may be about them.

    Attributes:
        seen: The marks of the last block, or None before the first.
    """

    def __init__(self) -> None:
        self.seen: Marks | None = None
        self._pending = ""
        self._inside: Marks | None = None
        self._leading = True
        self._has_turn = False

    def feed(self, piece: str) -> tuple[str, str]:
        """The text and the reasoning that this piece settles."""
        if not self._leading:
            return piece, ""
        self._pending += piece
        if self.seen is None and self._begins_otherwise():
            self._leading = False
            return self._take_answer(), ""
        reasoning = "".join(self._thoughts())
        return self._take_answer(), reasoning

    def flush(self) -> tuple[str, str]:
        """The text and the reasoning still undecided, at the end of the answer."""
        rest, self._pending = self._pending, ""
        return ("", rest) if self._inside is not None else (rest, "")

    def _begins_otherwise(self) -> bool:
        """Whether the first character that is there is that of no mark, as it is of most replies."""
        start = self._pending.lstrip(_BLANKS)
        return bool(start) and start[0] not in _FIRST_OF_OPENINGS

    def _take_answer(self) -> str:
        """The beginning of the answer, once it is there."""
        if self._leading:
            return ""
        text, self._pending = self._pending, ""
        return text

    def _thoughts(self) -> Iterator[str]:
        """The reasoning in the pending text, as far as it is settled; what is left may be the answer."""
        is_settled = True
        while is_settled and self._leading:
            if self._inside is None:
                is_settled = self._take_opening()
            else:
                thought, is_settled = self._take_thought(self._inside)
                yield thought

    def _take_opening(self) -> bool:
        """Whether it is settled that a block begins here, or that the answer does."""
        start = self._pending.lstrip(_BLANKS)
        if self.seen is not None:
            self._pending = start
        folded = start[:_LONGEST_HEADER].lower()
        turn = next((one for one in _TURNS if folded.startswith(one.lower())), None)
        if turn is not None and not self._has_turn:
            self._has_turn = True
            self._pending = start[len(turn) :].lstrip(_BLANKS)
            return True
        opened = next((marks for marks in _STREAMED if folded.startswith(marks.opening.lower())), None)
        if opened is not None and opened is not HARMONY:
            self._enter(opened, start[len(opened.opening) :])
            return True
        if self.seen is not None and self.seen.answer and folded.startswith(self.seen.answer.lower()):
            self._pending, self._leading = start[len(self.seen.answer) :].lstrip(), False
            return True
        if header := _HEADER.match(start):
            self._enter(HARMONY, start[header.end() :])
            if header[1].lower() == "final":
                self._inside, self._leading = None, False
            return True
        if self._may_open(folded):
            return False
        self._leading = False
        return True

    def _enter(self, marks: Marks, rest: str) -> None:
        self._inside = self.seen = marks
        self._pending = rest

    def _may_open(self, folded: str) -> bool:
        """Whether more of the text could make a mark of its start."""
        if folded.startswith(_HEADER_STARTS):
            return len(folded) < _LONGEST_HEADER
        openings = [*(marks.opening for marks in _STREAMED), *_HEADER_STARTS, *_TURNS]
        if self.seen is not None and self.seen.answer:
            openings.append(self.seen.answer)
        return any(opening.lower().startswith(folded) for opening in openings)

    def _take_thought(self, marks: Marks) -> tuple[str, bool]:
        """The reasoning before the closing mark, and whether the mark was there."""
        thought = self._pending
        if closing := _SEARCHES[marks].search(thought):
            self._pending, self._inside = thought[closing.end() :], None
            return thought[: closing.start()], True
        keep = max((_begun(thought, mark) for mark in _CLOSINGS[marks]), default=0)
        settled = len(thought) - keep
        self._pending = thought[settled:]
        return thought[:settled], False


def split_reasoning(text: str, *, alone: bool = True) -> tuple[str, str]:
    """The answer and the reasoning in a whole text.

    Args:
        text: What the model wrote.
        alone: Whether a closing mark without an opening one may end reasoning. Where the server has sent
            reasoning in a field, it can only be left over at the start.
    """
    splitter = ReasoningSplitter()
    settled, rest = splitter.feed(text), splitter.flush()
    answer, reasoning = settled[0] + rest[0], settled[1] + rest[1]
    if splitter.seen is None:
        answer, reasoning = _split_words(answer)
    start = answer.lstrip()
    if (left_over := _ANY_CLOSING.match(start)) and not _is_quoted(start, 0, left_over.end()):
        answer = start[left_over.end() :].lstrip()
    if alone:
        answer, more = _split_alone(answer)
        reasoning += more
    if reasoning or splitter.seen is not None:
        for end in _ENDS:
            answer = answer.removesuffix(end)
    return answer, reasoning


def _begun(text: str, mark: str) -> int:
    """How many characters at the end of a text may be the beginning of a mark."""
    mark = mark.lower()
    longest = min(len(mark) - 1, len(text))
    return next((n for n in range(longest, 0, -1) if text[-n:].lower() == mark[:n]), 0)


def _split_words(text: str) -> tuple[str, str]:
    """Answer and reasoning of a text that is marked with ordinary words."""
    start = text.lstrip()
    for marks in _OF_WORDS:
        if start.startswith(marks.opening):
            thought, closing, answer = start[len(marks.opening) :].partition(marks.closing)
            if closing:
                return answer.lstrip(), thought
    return text, ""


def _split_alone(text: str) -> tuple[str, str]:
    """Answer and reasoning of a text whose opening mark was part of the prompt.

    The last mark counts that has an answer behind it: reasoning may be about its own marks.
    """
    end_of_answer = len(text)
    for start, end in reversed(_lone_closings(text)):
        if _is_quoted(text, start, end):
            continue
        answer = text[end:end_of_answer].lstrip()
        if answer:
            return answer, text[:start]
        end_of_answer = start
    return (text, "") if end_of_answer == len(text) else ("", text[:end_of_answer])


def _lone_closings(text: str) -> list[tuple[int, int]]:
    """Start and end of every closing mark that nothing has opened, outside blocks of code.

    A block of code has both its fences; in a draft that was given up, one may be missing.
    """
    found: list[tuple[int, int]] = []
    if not any(first in text for first in _FIRST_OF_ALONE):
        return found
    opened: dict[str, int] = {}
    all_fences, fences, counted = text.count("```"), 0, 0
    for match in _ANY_ALONE.finditer(text):
        mark, (start, end) = match[0].lower(), match.span()
        fences, counted = fences + text.count("```", counted, start), start
        if mark in _ANSWERS:
            found.append((start, end))
        elif (opening := _CLOSED_BY.get(mark)) is None:
            opened[mark] = opened.get(mark, 0) + 1
        elif opened.get(opening):
            opened[opening] -= 1
        elif not (fences % 2 and (all_fences - fences) % 2):
            found.append((start, end))
    return found


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Whether a mark is what a sentence or a piece of code is about."""
    before = text[max(0, start - _SENTENCE) : start].rpartition("\n")[2]
    after = text[end : end + _SENTENCE].partition("\n")[0]
    if before.count("`") % 2:
        return True
    if not after.strip():
        return False
    if not before.strip():
        return not text[:start].strip() and after[0].isspace() and after.lstrip()[0].islower()
    if before[-1] in "\"'“‘«「『(" and after[0] in "\"'”’»」』)":
        return True
    last, following = before.rstrip()[-1], after.lstrip()[0]
    if not (last.isalnum() or last in ",;:-–—"):
        return False
    # Scripts without capitals do without blanks, too.
    if _has_no_case(last) and _has_no_case(following):
        return True
    is_spaced = before[-1].isspace() and (after[0].isspace() or after[0] in ",.;:!?)")
    return is_spaced and (following.islower() or following in ",.;:!?)-–—")


def _has_no_case(character: str) -> bool:
    return character.isalpha() and character.lower() == character.upper()
