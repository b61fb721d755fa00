"""Compares the letter of the option that was chosen."""

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Final

from spotui.domain.rows import Row
from spotui.lang import _
from spotui.metrics import phrases
from spotui.metrics.mark import (
    Comparing,
    after_correction,
    conclusions,
    first_sentence,
    sentences_backwards,
    shown,
    without_latex,
)
from spotui.metrics.question_options import narrow, options_of
from spotui.metrics.texts import tokens

_LETTER: Final = r"(?:\(([A-Za-z])\)|\[([A-Za-z])\]|([A-Z])(?![\w'’+#-])(?!\.[A-Za-z]))"
_LOWER: Final = (
    r"([b-z]|a(?=\s*(?:[.,;:)\]*]|\Z|because\b|since\b)))"
    r"(?=\s*(?:[.,;:)\]*]|\Z)|\s+(?:because|since|as|is|which|and not|not)\b)(?!\.[a-z])"
)
_FILLER: Final = rf"(?i:(?:{phrases.LEADS})\W{{0,4}}){{0,4}}"
_LED: Final = rf"[\s*_:\"'“(【「=–—-]{{0,8}}{_FILLER}[*_\"'“「]{{0,4}}{_LETTER}"
_ALONE: Final = re.compile(
    r"\W*(?:\d{1,2}[.)]\s+)?(?i:(?:option|choice|answer|ans|选项|选)\W*)?\b([A-Za-z])"
    r"(?:\s*(?:项|选项|です|입니다|吧))?\W*\Z"
)
_SEVERAL: Final = re.compile(r"\W*[A-Z](?:[\s,;/&+]+[A-Z])+\W*\Z")
_STARTS: Final = re.compile(_LED)
_STARTS_LOWER: Final = re.compile(rf"[\s*_:\"'“]{{0,8}}{_FILLER}[*_\"'“]{{0,4}}\b{_LOWER}")
_CHOOSES: Final = re.compile(rf"(?i:{phrases.SAYS}){_LED}", re.MULTILINE)
_CHOOSES_LOWER: Final = re.compile(rf"(?i:{phrases.SAYS})[\s*_:\"'“]{{0,8}}{_FILLER}\b{_LOWER}", re.MULTILINE)
_CONCLUDES: Final = re.compile(
    rf"(?:(?i:{phrases.SO}|{phrases.BUT})[,，、]?|→|⇒|[=-]>){_LED}(?=[\s*_)\]]*(?:[.。!！]|$))", re.MULTILINE
)
_IS_RIGHT: Final = re.compile(rf"{_LETTER}[)*_\s]*(?:项|选项)?\s*(?i:{phrases.RIGHT})")
_FITS: Final = re.compile(rf"{_LETTER}[)*_\s]*(?:项|选项)?\s*(?i:{phrases.FITS})")
_MENTION: Final = re.compile(
    r"\(([A-Za-z])\)|\[([A-Za-z])\]|\*\*([A-Z])\*\*|(?:^|(?<=\s))([A-Z])(?=[).:、](?:\s|$))"
)
_RULED_OUT_AFTER: Final = re.compile(rf"[\s)*_.\]]{{0,8}}(?:项|选项)?\s*(?i:{phrases.WRONG})")
_RULED_OUT_BEFORE: Final = re.compile(
    rf"(?i:{phrases.NOT})[\s*_]{{0,4}}(?i:(?:{phrases.LEADS})\s*){{0,2}}"
    r"(?:\(?[A-Z]\)?(?:\s*,\s*\(?[A-Z]\)?){0,8}\s*,?\s*(?i:or|nor|and|oder|ou|o|ni|или)\s+\(?)?\Z"
)
_AMONG_RULED_OUT: Final = re.compile(rf"(?i:{phrases.NOT})\s+(?:\(?[A-Z]\)?\s*,\s*)+\(?\Z")
_THEN_OR: Final = re.compile(
    r"\)?\s*,?\s*(?:\(?[A-Z]\)?\s*,\s*)*(?:or|nor|and|oder|ou|o|ni|или)\s+\(?[A-Z]\b"
)
_DOUBTED: Final = re.compile(
    r"(?:n['’]t|\bnot|\bnever)\s+(?:really\s+)?(?:think|believe|say|suppose|feel|see how"
    r"|choose|pick|select|go)\b(?:(?!\bbut\b)[^.,;:!?\n])*\Z"
    r"|\b(?:none of(?! the above| these)|not among|not one of|keine[rs]? (?:der|von)|aucune? d|ningun[oa] de)"
    r"[^.;!?\n]*\Z"
    r"|\bdoubt\b(?:(?!\bbut\b)[^.,;:!?\n])*\Z",
    re.IGNORECASE,
)
_OR: Final = (
    rf"(?:[\s)*_.\]]{{0,6}}(?i:{phrases.OR}|,)|\s?(?=\([A-Z]\)))\s*(?i:(?:also|maybe|possibly|perhaps|probably|even|else|soit"
    rf"|{phrases.NOUN})\s+){{0,3}}[*_]{{0,3}}"
)
_ANOTHER: Final = re.compile(rf"{_OR}(?:{_LETTER}|(?<=/)([a-z])\b)")
_SO: Final = re.compile(phrases.SO, re.IGNORECASE)
_JOINED_BEFORE: Final = re.compile(
    rf"\b(?i:between|either|entre|zwischen|entweder)\b[^.;\n]{{0,30}}\b[A-Z]\)?\s*(?:and|or|et|ou|und|oder|y|o)\s+"
    rf"(?:(?:{phrases.NOUN})\s+)?\(?[A-Z]\)?[\s.]*\Z"
)
_UNDECIDED: Final = re.compile(phrases.UNDECIDED, re.IGNORECASE)
_DENIED: Final = re.compile(
    r"\b(?:not|cannot|never|wrong|incorrect|nicht|falsch|pas|no es|não|non|не)\b|n['’]t\b"
    r"|不|ない|ません|아니",
    re.IGNORECASE,
)
_VERDICT: Final = re.compile(
    rf"(?:^|(?<=[\s;,.，。；、]))(?:选项|option\s)?{_LETTER}[)*_\].]*\s*(?:项|选项)?\s*(?:[:：→—–-]+>?|[=-]>)?\s*"
    r"(?:(?P<yes>✓|✔|✅|(?i:(?:right|correct|true|yes|richtig|wahr|correcte?|vraie?|correcta|верно)\b)|正确|对|正しい)"
    r"|(?P<no>✗|✘|❌|×|(?i:(?:wrong|incorrect|false|no|falsch|fausse?|incorrecta|неверно)\b)|错误?|不正确|不对))",
    re.MULTILINE,
)
_LAST_PART: Final = re.compile(r"[:：;；→⇒]|[=-]>")
_NEGATED_WORDS: Final = re.compile(r" (?:not|no|nor|never|than|without|isnt|不) \S+ ")
_ARTICLE: Final = re.compile(
    r"\s+(?!(?:because|since|as|for|and|is|due|which|with|based|given|but|or|in|by|the|oder|und|ou|et|o|y|e|ist|est|es|é|è|или|и)\b)[a-z]"
)
_VERB: Final = re.compile(r"\s+(?:is|was|would|has|seems|looks|does|ist|est|es)\b")
_CJK: Final = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"
_CJK_EDGE: Final = re.compile(rf"(?<={_CJK})(?=[A-Za-z(])|(?<=[A-Za-z)])(?={_CJK})")
_TAGS: Final = re.compile(r"</?[A-Za-z]\w+>|\[/?[A-Za-z]{2,}\]|~~[^~\n]{1,200}~~")
_UNDERSCORES: Final = re.compile(r"(?<![^\W_])_{1,3}(?=[A-Za-z(])|(?<=[A-Za-z).])_{1,3}(?![^\W_])")
_ASKED: Final = re.compile(r"\(\s*[A-Z](?:\s*(?:/|,|\||\bor\b)\s*[A-Z]){2,}\s*\)\s*(?=:)")
_WIDE: Final = str.maketrans("（）［］【】：，．　`$", "()[]  :,. * ")


_MOST: Final = 50
_LENGTH: Final = 8_000
"""Statements of a choice that are looked at, from the end, and how far from there."""


class MultipleChoice(Comparing[str]):
    """The answer chooses the option of a reference.

    An option that is only ruled out is not chosen, and an answer that leaves two open chooses none. An answer
    that names no letter may quote the text of an option of the question.
    """

    wanted = "the letter of an option"

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored: an answer has to be one of the options that the question shows."""
        if what := super().fault(row):
            return what
        options = options_of(row.question) if len(options_of(row.question)) > 1 else {}
        wrong = next((one for one in row.references if self.read_reference(one) not in options), None)
        if not options or wrong is None:
            return ""
        return _(
            "The answer {shown} is not one of the options {options}.",
            shown=shown(wrong),
            options=", ".join(options),
        )

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


def read_choice(answer: str, options: Mapping[str, str] | None = None) -> str | None:
    """The letter of the option that an answer chooses, as a capital; None when it makes no clear choice.

    What counts first is what it says it chooses, then what it begins with, then the last sentence in which an
    option is left standing, then the text of an option.

    Args:
        answer: The answer.
        options: The texts of the options by their letters, where they are known.
    """
    text = _without_quotes(_simplified(answer), options or {})
    corrected = after_correction(text)
    for part in filter(None, (corrected, text)):
        chosen, is_clear = _by_letter(part, options or {})
        if is_clear:
            return chosen
    return _by_text(text, options or {})


def _without_quotes(text: str, options: Mapping[str, str]) -> str:
    """The text without the text of an option where it follows its letter: "(B) False" calls nothing false."""
    for letter, option in options.items():
        if len(option) > 1:
            words = r"\s+".join(map(re.escape, _simplified(option).split()))
            quoted = re.compile(
                rf"(?<![^\W_])(\({letter}\)|\[{letter}\]|{letter}\b)([*_).:、]*)[\s–—-]*(?i:{words})(?![^\W_])"
            )
            text = quoted.sub(r"\1\2", text)
    return text


def _by_letter(text: str, options: Mapping[str, str]) -> tuple[str | None, bool]:
    """The chosen letter, and whether letters say anything at all."""
    if alone := _ALONE.match(text):
        return alone[1].upper(), True
    if _SEVERAL.match(text):
        return None, True
    is_open = False
    for conclusion in conclusions(text):
        found = _ALONE.match(conclusion) or _STARTS.match(conclusion) or _STARTS_LOWER.match(conclusion)
        if found and _chosen(found, conclusion):
            if not _leaves_open(found, conclusion):
                return _letter(found), True
            is_open = True
    patterns = (_CONCLUDES, _CHOOSES, _CHOOSES_LOWER, _IS_RIGHT)
    begin = max(0, len(text) - _LENGTH)
    said = [one for pattern in patterns for one in pattern.finditer(text, begin)]
    for found in sorted(said, key=_place, reverse=True)[:_MOST]:
        if not _chosen(found, text):
            continue
        before = text[max(0, found.end() - 80) : found.end()]
        if not _leaves_open(found, text) and not _JOINED_BEFORE.search(before):
            return _letter(found), True
        is_open = True
    if is_open:
        return None, True
    if (called_right := _called_right(text, options)) is not None:
        return called_right, True
    last_line = text.rstrip().rpartition("\n")[2]
    *denied, last_part = _LAST_PART.split(next(iter(sentences_backwards(text)), ""))
    for part in (last_line, "" if any(map(_DENIED.search, denied)) else last_part):
        if alone := _ALONE.match(part):
            return alone[1].upper(), True
    return _left(text)


def _called_right(text: str, options: Mapping[str, str]) -> str | None:
    """The option that a list calls right, one verdict for each; None where it is not a list with just one.

    A verdict that is the text of its option, e.g. "A. True", says nothing about it.
    """
    verdicts = {
        letter: bool(one["yes"])
        for one in _VERDICT.finditer(text)
        if (letter := next(filter(None, one.groups()[:3])).upper())
        and not options.get(letter, "").casefold().startswith((one["yes"] or one["no"]).casefold())
    }
    right = [letter for letter, is_right in verdicts.items() if is_right]
    return right[0] if len(verdicts) > 1 and len(right) == 1 else None


def _left(text: str) -> tuple[str | None, bool]:
    """The option that an answer begins with, or that its last sentence with an option comes to."""
    sentences = sentences_backwards(text)
    standing = [(one, left) for one in sentences if (left := _left_standing(one))]
    last = standing[0][0] if standing else next(iter(sentences), "")
    right = {_letter(one) for one in _FITS.finditer(last) if _stands(one, last)}
    if len(right) == 1:
        return right.pop(), True
    found = _STARTS.match(text)
    if _lists_all(standing):
        return None, True
    if found and _chosen(found, text) and _counts_at_start(_letter(found), text, standing):
        return (None if _leaves_open(found, text) else _letter(found)), True
    if not standing:
        return None, _MENTION.search(text) is not None
    letters = standing[0][1]
    is_open = _JOINED_BEFORE.search(last) or (
        len(set(letters)) > 1 and (_UNDECIDED.search(_undecided_part(last)) or _ends_open(last))
    )
    return (None if is_open else letters[-1]), True


def _undecided_part(sentence: str) -> str:
    """A sentence, or what it says behind "so" or "therefore" where an option follows."""
    so = list(_SO.finditer(sentence))
    return sentence[so[-1].end() :] if so and _MENTION.search(sentence, so[-1].end()) else sentence


def _counts_at_start(letter: str, text: str, standing: Sequence[tuple[str, list[str]]]) -> bool:
    """Whether a letter at the beginning is the choice: its sentence neither denies it nor names others."""
    if _DENIED.search(first_sentence(text)) and len(standing) > 1:
        return False
    return not standing or set(standing[-1][1]) == {letter}


def _lists_all(standing: Sequence[tuple[str, list[str]]]) -> bool:
    """Whether a text names the options one after the other, and rules none of them out."""
    begun = [letters[0] for _, letters in reversed(standing)]
    return len(begun) > 2 and begun == list(ascii_uppercase[: len(begun)])


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
    if another is None:
        return False
    letter = next(filter(None, another.groups())).upper()
    is_word = letter in "AI" and not another[0].endswith((")", "]")) and _ARTICLE.match(text, another.end())
    if is_word or ("," in another[0] and _VERB.match(text, another.end())):
        return False
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
    text = _TAGS.sub(" ", without_latex(text.translate(_WIDE).translate(phrases.SIMPLIFIED)))
    text = _ASKED.sub("", _UNDERSCORES.sub(" ", text))
    return _CJK_EDGE.sub(" ", narrow(text))


def _chosen(mention: re.Match[str], text: str) -> bool:
    """Whether it is the letter of an option, and not ruled out."""
    end = mention.end(mention.lastindex or 0)
    is_word = end == mention.end() and mention[mention.lastindex or 0] in "AI" and _ARTICLE.match(text, end)
    return not is_word and _stands(mention, text)


def _stands(mention: re.Match[str], text: str) -> bool:
    """Whether the text does not rule the option out."""
    letter = mention.start(mention.lastindex or 0)
    before = text[max(0, letter - 40) : letter].rstrip("([*「“")
    return not (
        (_AMONG_RULED_OUT.search(before) and _THEN_OR.match(text, mention.end()))
        or _RULED_OUT_AFTER.match(text, mention.end())
        or _RULED_OUT_BEFORE.search(before)
        or _DOUBTED.search(text, max(0, letter - 60), letter)
    )


def _letter(mention: re.Match[str]) -> str:
    return mention[mention.lastindex or 0].upper()


def _place(mention: re.Match[str]) -> int:
    return mention.start(mention.lastindex or 0)
