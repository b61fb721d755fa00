"""Compares the letter of the option that was chosen."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from spotui.domain.rows import Row
from spotui.metrics.mark import (
    Comparing,
    after_correction,
    conclusions,
    first_sentence,
    sentences_backwards,
    without_latex,
)
from spotui.metrics.texts import tokens

_LETTER: Final = r"(?:\(([A-Za-z])\)|\[([A-Za-z])\]|([A-Z])(?![\w'’+#-])(?!\.[A-Za-z]))"
_LOWER: Final = (
    r"([b-z]|a(?=\s*(?:[.,;:)\]*]|\Z|because\b|since\b)))"
    r"(?=\s*(?:[.,;:)\]*]|\Z)|\s+(?:because|since|as|is|which|and not|not)\b)(?!\.[a-z])"
)
_FILLER: Final = (
    r"(?i:(?:therefore|thus|clearly|probably|indeed|definitely|likely|option|choice|letter|answer|statement|the|be"
    r"|la|el|le|il|lo|die|der|das|opción|opção|opzione|letra|lettera|lettre|选项|选择|选|应该|是|为)\W{0,4}){0,4}"
)
_LED: Final = rf"[\s*_:\"'“(【「=–—-]{{0,8}}{_FILLER}[*_\"'“]{{0,4}}{_LETTER}"
_ALONE: Final = re.compile(
    r"\W*(?i:(?:option|choice|answer|ans|选项|选)\W*)?\b([A-Za-z])(?:\s*(?:项|选项))?\W*\Z"
)
_STARTS: Final = re.compile(_LED)
_STARTS_LOWER: Final = re.compile(rf"[\s*_:\"'“]{{0,8}}{_FILLER}[*_\"'“]{{0,4}}\b{_LOWER}")
_CHOICE_WORD: Final = (
    r"(?i:\b(?:leaves|leaving|say|choose|chose|choosing|pick|picked|select|selected|go\ with|going\ with"
    r"|it(?:'s|’s|\ is|\ must\ be)"
    r"|(?:answer|ans|option|choice)\.?(?:\ (?:is|would\ be|should\ be|must\ be|has\ to\ be))?)\b"
    r"|(?<!不)(?<!不应)选(?:择|项)?|答案)"
)
_CHOOSES: Final = re.compile(rf"{_CHOICE_WORD}{_LED}")
_CHOOSES_LOWER: Final = re.compile(rf"{_CHOICE_WORD}[\s*_:\"'“]{{0,8}}{_FILLER}\b{_LOWER}")
_CONCLUDES: Final = re.compile(
    rf"(?:(?i:\b(?:so|therefore|thus|hence|final|finally)\b)|所以|因此|综上|故){_LED}(?=[\s*_)\]]*(?:[.。!！]|$))",
    re.MULTILINE,
)
_IS_RIGHT: Final = re.compile(
    rf"{_LETTER}[)*_\s]*(?:项|选项)?\s*(?i:(?:is|would\ be|must\ be|seems)\s+(?:clearly\ |indeed\ |the\ )*"
    r"(?:correct|right|best|only\ correct|true|answer|most\ \w+)\b"
    r"|(?:是|为)?(?:正确|对的|对(?=[\s,.。，;；!！]|$)|最佳))"
)
_MENTION: Final = re.compile(
    r"\(([A-Za-z])\)|\[([A-Za-z])\]|\*\*([A-Z])\*\*|(?:^|(?<=\s))([A-Z])(?=[).:、](?:\s|$))"
)
_RULED_OUT_AFTER: Final = re.compile(
    r"[\s)*_.\]]{0,8}(?:项|选项)?\s*"
    r"(?i:(?:is|are|was|were|would\ be|can\ be|must\ be|seems|looks)\s+)?"
    r"(?i:(?:clearly|also|obviously)\s+)?"
    r"(?i:(?:not\b(?!\s*\(?[A-Z]\b)|wrong|incorrect|false|impossible|invalid|excluded|eliminated|ruled\ out"
    r"|out|isn['’]t|cannot|can['’]t|doesn['’]t|does\ not)\b"
    r"|(?:是)?(?:错误|错的|不正确|不对|不符合|不成立|排除))"
)
_RULED_OUT_BEFORE: Final = re.compile(
    r"(?:(?i:\b(?:not|neither|nor|than|unlike|except|instead\ of|rules?\ out|ruling\ out|eliminates?"
    r"|excludes?|over|versus|vs\.?)|n['’]t)[\s*_]{0,4}(?i:(?:option|choice)\s*)?"
    r"|(?:不是|不选|排除|除了|而非|而不是)\s*(?:选项)?\s*)\Z"
)
_OR: Final = (
    r"[\s)*_.\]]{0,6}(?i:/|&|,?\s*\b(?:or|and)\b|,|、|或者?|和|与|及)\s*(?i:(?:also|maybe|possibly|perhaps|probably"
    r"|even|option|choice|else)\s+){0,3}[*_]{0,3}"
)
_ANOTHER: Final = re.compile(rf"{_OR}(?:{_LETTER}|(?<=/)([a-z])\b)")
_UNDECIDED: Final = re.compile(
    r"\b(?:both|either|neither|unsure|not sure|unclear|could be|may be|might be|cannot decide)\b|都|不确定",
    re.IGNORECASE,
)
_DENIED: Final = re.compile(r"\b(?:not|cannot|never|wrong|incorrect)\b|n['’]t\b|不", re.IGNORECASE)
_NEGATED_WORDS: Final = re.compile(r" (?:not|no|nor|never|than|without|isnt|不) \S+ ")
_ARTICLE: Final = re.compile(
    r"\s+(?!(?:because|since|as|for|and|is|due|which|with|based|given|but|or|in|by|the)\b)[a-z]"
)
_OPTION: Final = re.compile(r"^[ \t]*(?:\(([A-Z])\)|\[([A-Z])\]|([A-Z])[).:、．])[ \t]*(.*)$", re.MULTILINE)
_INLINE_OPTION: Final = re.compile(r"(?:(?<=\s)|^)\(([A-Z])\)\s*([^\n]*?)(?=\s*\([A-Z]\)|\s*$)", re.MULTILINE)
_CJK: Final = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_CJK_EDGE: Final = re.compile(rf"(?<={_CJK})(?=[A-Za-z(])|(?<=[A-Za-z)])(?={_CJK})")
_TAGS: Final = re.compile(r"</?[A-Za-z]\w+>")
_WIDE_LETTER: Final = re.compile("[Ａ-ｚⒶ-ⓩ]")
_WIDE: Final = str.maketrans("（）［］【】：，．　`$", "()[]  :,. * ")


class MultipleChoice(Comparing[str]):
    """The answer chooses the option of a reference.

    An option that is only ruled out is not chosen, and an answer that leaves two open chooses none. An answer
    that names no letter may quote the text of an option of the question.
    """

    wanted = "the letter of an option"

    def read(self, answer: str, row: Row) -> str | None:
        """The letter an answer chooses, if it is one of the options that the question shows."""
        options = options_of(row.question)
        found = read_choice(answer, options)
        return found if len(options) < 2 or found in options else None

    def read_reference(self, reference: str) -> str | None:
        """The letter that a reference is, or begins with."""
        text = _simplified(reference)
        match = _ALONE.match(text) or re.match(r"\W*([A-Za-z])(?=[).:、\]])", text)
        return match[1].upper() if match else None

    def options(self, row: Row) -> dict[str, str]:
        """The tokens that say an option: the letters that the question shows."""
        shown = options_of(row.question)
        return {letter: letter for letter in shown} if len(shown) > 1 else {}

    def right(self, row: Row) -> frozenset[str]:
        """The letters of the references."""
        return frozenset(filter(None, map(self.read_reference, row.references)))


def options_of(question: str) -> dict[str, str]:
    """The options that a question shows, each with its text by its letter."""
    shown = {next(filter(None, one[:3])): one[3] for one in _OPTION.findall(question)}
    inline = dict(_INLINE_OPTION.findall(question))
    return {letter: text.strip() for letter, text in (inline if len(inline) > len(shown) else shown).items()}


def read_choice(answer: str, options: Mapping[str, str] | None = None) -> str | None:
    """The letter of the option that an answer chooses, as a capital; None when it makes no clear choice.

    What counts first is what it says it chooses, then what it begins with, then the last sentence in which an
    option is left standing, then the text of an option.

    Args:
        answer: The answer.
        options: The texts of the options by their letters, where they are known.
    """
    text = _simplified(answer)
    corrected = after_correction(text)
    for part in filter(None, (corrected, text)):
        chosen, is_clear = _by_letter(part)
        if is_clear:
            return chosen
    return _by_text(text, options or {})


def _by_letter(text: str) -> tuple[str | None, bool]:
    """The chosen letter, and whether letters say anything at all."""
    if alone := _ALONE.match(text):
        return alone[1].upper(), True
    is_open = False
    for conclusion in conclusions(text):
        found = _ALONE.match(conclusion) or _STARTS.match(conclusion) or _STARTS_LOWER.match(conclusion)
        if found and _chosen(found, conclusion):
            if not _leaves_open(found, conclusion):
                return _letter(found), True
            is_open = True
    said = (_CONCLUDES, _CHOOSES, _CHOOSES_LOWER)
    for found in reversed([one for pattern in said for one in pattern.finditer(text)]):
        if _chosen(found, text):
            if not _leaves_open(found, text):
                return _letter(found), True
            is_open = True
    if is_open:
        return None, True
    last_line = text.rstrip().rpartition("\n")[2]
    if alone := _ALONE.match(last_line):
        return alone[1].upper(), True
    return _left(text)


def _left(text: str) -> tuple[str | None, bool]:
    """The option that an answer begins with, or that its last sentence with an option comes to."""
    sentences = sentences_backwards(text)
    standing = [(one, left) for one in sentences if (left := _left_standing(one))]
    last = standing[0][0] if standing else next(iter(sentences), "")
    right = {_letter(one) for one in _IS_RIGHT.finditer(last) if _stands(one, last)}
    if len(right) == 1:
        return right.pop(), True
    found = _STARTS.match(text)
    if found and _chosen(found, text) and _counts_at_start(_letter(found), text, standing):
        return (None if _leaves_open(found, text) else _letter(found)), True
    if not standing:
        return None, _MENTION.search(text) is not None
    letters = standing[0][1]
    is_open = len(set(letters)) > 1 and (_UNDECIDED.search(last) or _ends_open(last))
    return (None if is_open else letters[-1]), True


def _counts_at_start(letter: str, text: str, standing: Sequence[tuple[str, list[str]]]) -> bool:
    """Whether a letter at the beginning is the choice: its sentence neither denies it nor names others."""
    if _DENIED.search(first_sentence(text)) and len(standing) > 1:
        return False
    return not standing or set(standing[-1][1]) == {letter}


def _left_standing(sentence: str) -> list[str]:
    """The options that a sentence names and does not rule out, in its order."""
    return [_letter(one) for one in _MENTION.finditer(sentence) if _stands(one, sentence)]


def _ends_open(sentence: str) -> bool:
    """Whether the last option of a sentence is named together with another one."""
    mentions = [one for one in _MENTION.finditer(sentence) if _stands(one, sentence)]
    return len(mentions) > 1 and _leaves_open(mentions[-2], sentence)


def _leaves_open(mention: re.Match[str], text: str) -> bool:
    """Whether another option follows as just as good."""
    another = _ANOTHER.match(text, mention.end())
    if another is None or _ARTICLE.match(text, another.end()):
        return False
    letter = next(filter(None, another.groups())).upper()
    return letter != _letter(mention) and _stands(another, text)


def _by_text(text: str, options: Mapping[str, str]) -> str | None:
    """The option whose text an answer concludes with, or names last."""
    words = {letter: f" {' '.join(tokens(option))} " for letter, option in options.items() if tokens(option)}
    if len(set(words.values())) < len(words):
        return None
    for part in (*conclusions(text), *sentences_backwards(text)):
        said = f" {' '.join(tokens(part))} "
        said = _NEGATED_WORDS.sub(" - ", said)
        places = {letter: said.rfind(option) for letter, option in words.items()}
        named = [letter for letter, place in places.items() if place >= 0]
        whole = [
            one
            for one in named
            if not any(_is_inside(words[one], words[other]) for other in named if other != one)
        ]
        if whole:
            return _last_named(said, whole, places)
    return None


def _is_inside(option: str, other: str) -> bool:
    return option != other and option in other


def _last_named(said: str, named: Sequence[str], places: Mapping[str, int]) -> str | None:
    if len(named) > 1 and (_UNDECIDED.search(said) or re.search(r"\bor\b|或", said)):
        return None
    is_negated = re.search(r"\b(?:not|isnt|doesnt|cannot|never)\b|不", said) is not None
    return None if is_negated and len(named) == 1 else max(named, key=lambda one: places[one])


def _simplified(text: str) -> str:
    """The text without LaTeX, tags and wide characters, and with blanks where the script changes."""
    text = _TAGS.sub(" ", without_latex(text.translate(_WIDE)))
    text = "".join(
        unicodedata.normalize("NFKC", one) if "Ａ" <= one <= "ｚ" or "Ⓐ" <= one <= "ⓩ" else one
        for one in text
    )
    return _CJK_EDGE.sub(" ", text)


def _chosen(mention: re.Match[str], text: str) -> bool:
    """Whether it is the letter of an option, and not ruled out."""
    end = mention.end(mention.lastindex or 0)
    is_word = end == mention.end() and mention[mention.lastindex or 0] in "AI" and _ARTICLE.match(text, end)
    return not is_word and _stands(mention, text)


def _stands(mention: re.Match[str], text: str) -> bool:
    """Whether the text does not rule the option out."""
    letter = mention.start(mention.lastindex or 0)
    before = text[max(0, letter - 40) : letter].rstrip("([*")
    return not _RULED_OUT_AFTER.match(text, mention.end()) and not _RULED_OUT_BEFORE.search(before)


def _letter(mention: re.Match[str]) -> str:
    return mention[mention.lastindex or 0].upper()
