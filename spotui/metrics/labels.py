"""Compares labels: one of a few that are given, or yes and no."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from spotui.domain.rows import Row
from spotui.metrics import phrases
from spotui.metrics.mark import (
    Comparing,
    after_correction,
    conclusions,
    first_sentence,
    sentences_backwards,
    without_latex,
)

_LEAD: Final = re.compile(
    r"(?:[\s*_`\"'“”‘’:：=$(（\[【<]|\b(?:label|class|category|sentiment|verdict|it|is|the|a|an|that|therefore|so|thus"
    r"|deductively|logically|clearly|most|likely|probably|overall|argument)\b|是|为)*",
    re.IGNORECASE,
)
_NOT: Final = re.compile(
    r"(?:\b(?:not|never|no|without|nothing|hardly|cannot|neither|nor|than|over|versus|vs|no longer"
    r"|(?:rather|instead) (?:than|of)|far from|fails? to|wrong to|anything but"
    r"|nicht|kein\w*|weder|noch|pas|ne|ni|non|não|né|не|ни)\b|n['’]t\b)"
    r"[\s*_`\"'“]*(?:(?:a|an|the|be|been|being|really|entirely|deductively|logically|formally|at|all|very|quite|in"
    r"|any|fact|particularly|necessarily|consider(?:ed)?|call(?:ed)?|classified|labell?ed|contain|constitute"
    r"|express|count|qualify|as|say|think|believe|that|this|it|it['’]s|is|seem|appear|to|exactly|case|argument|claim|text|es|est|è|é|ist|eine?|sehr|du|tout|très"
    r"|muy|очень)[\s*_`\"'“]+){0,6}\Z"
    r"|(?:不是|并非|而非|不属于|不|非|没有)\s*[“\"「]?\Z",
    re.IGNORECASE,
)
_NOT_AFTER: Final = re.compile(r"\s*(?:(?:では|じゃ)(?:な|あり)|(?:이|가)?\s*아[니닙])")
_OR_ALSO: Final = re.compile(r"[\s*_`\"'”]*(?:or|nor|oder|ou|o|или)\s+[*_`\"'“]*", re.IGNORECASE)
_LESS: Final = re.compile(r"\b(?:less|weniger|moins|menos|meno|менее)\b", re.IGNORECASE)
_NEITHER: Final = re.compile(
    r"\b(?:neither\b.*\bnor|weder\b.*\bnoch|ni\b.*\bni|né\b.*\bné|ни\b.*\bни)\b|既不.*也不", re.IGNORECASE
)
_WHETHER: Final = re.compile(r"\b(?:whether|if it|ob|ли)\b[^.,;:!?\n]*|是否[^。，；\n]*", re.IGNORECASE)
_ANTONYM: Final = re.compile(r"(?:not|non|no)[\s_-]+|un|in|im|il|ir|dis|不|非|无", re.IGNORECASE)
_OUT_OF: Final = re.compile(r"(?:/|\bout of|\bof|\bvon|\bsur|\bde|\bиз)\s*\Z", re.IGNORECASE)
_BECAUSE: Final = re.compile(
    r"\b(?:because|since|although|even though|despite|with (?:some|a few|minor|slight|several))\b"
    r"|因为|由于|虽然",
    re.IGNORECASE,
)
_LABELS_JOINED: Final = re.compile(
    rf"[\s*_`\"'”,，]*(?:{phrases.OR})[\s*_`\"'“]*(?:maybe|perhaps|possibly)?\s*",
    re.IGNORECASE,
)
_ALONE: Final = re.compile(r"[\s*_`\"'”)\]]*(?:\Z|[.,;:!。，；：！\n—–-]|\b(?:because|since|as|due)\b)")
_SYMBOLS: Final = re.compile(r"[^\w\s.,;:!?'\"*_`$-](?:[^\w.,;:!?'\"*_`$-]*[^\w\s.,;:!?'\"*_`$-])?")
_EDGE: Final = " \t\r\n.。,，;；!！"


class Mention(NamedTuple):
    """A label where an answer names it."""

    label: str
    start: int
    end: int


class Label(Comparing[str]):
    """The answer comes to the label of a reference.

    A label that is part of a longer one is not found in it; with two labels, "not valid" is the other one.

    Args:
        labels: All labels. Without them, an answer is right when its conclusion is a reference.
    """

    wanted = "one of the labels"

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self._labels = tuple(labels)
        is_cased = len({_folded(one) for one in labels}) < len(labels)
        longest = sorted(labels, key=len, reverse=True)
        pattern = "|".join(f"({_bounded(unicodedata.normalize('NFKC', one.strip()))})" for one in longest)
        self._pattern = re.compile(pattern or r"(?!)", 0 if is_cased else re.IGNORECASE)
        self._longest = longest

    def read(self, answer: str, row: Row) -> str | None:
        """The label that it concludes with, begins with, or names in the last sentence that names one."""
        text = unicodedata.normalize("NFKC", without_latex(answer))
        if not self._labels:
            return self._reference_in(text, row)
        corrected = after_correction(text)
        for conclusion in conclusions(corrected or text):
            if (found := self._at_start(conclusion)) is not None:
                return found or None
        if not corrected and (found := self._at_start(text, is_alone=True)):
            return found
        shown = corrected or text
        for sentence in (*map(first_sentence, conclusions(shown)), *sentences_backwards(shown)):
            if mentions := list(self._mentions(sentence)):
                return self._decided(sentence, mentions)
        return None

    def read_reference(self, reference: str) -> str | None:
        """The label that a reference is."""
        text = unicodedata.normalize("NFKC", reference).strip()
        if not self._labels:
            return _compact(text) or None
        found = self._pattern.fullmatch(text) or self._pattern.fullmatch(text.strip(_EDGE))
        return None if found is None else self._label(found)

    def _label(self, match: re.Match[str]) -> str:
        return self._longest[(match.lastindex or 1) - 1]

    def _mentions(self, text: str) -> Iterator[Mention]:
        """The labels that a text names; a negated one is its opposite, where there is one, or left out."""
        denied_until = -1
        for match in self._pattern.finditer(text):
            label = self._label(match)
            if label[:1].isdecimal() and _OUT_OF.search(text, max(0, match.start() - 8), match.start()):
                continue
            is_denied = (
                _NOT.search(text, max(0, match.start() - 60), match.start())
                or _NOT_AFTER.match(text, match.end())
                or (denied_until >= 0 and _OR_ALSO.fullmatch(text, denied_until, match.start()))
            )
            if is_denied:
                denied_until = match.end()
            if not is_denied:
                yield Mention(label, match.start(), match.end())
            elif (opposite := self._opposite(label)) is not None:
                yield Mention(opposite, match.start(), match.end())

    def _opposite(self, label: str) -> str | None:
        """The label that says the opposite: the other one of two, or the one that is this label negated."""
        if len(self._labels) == 2:
            return next(one for one in self._labels if one != label)
        return next((one for one in self._labels if _is_negated(one, label) or _is_negated(label, one)), None)

    def _at_start(self, text: str, *, is_alone: bool = False) -> str | None:
        """The label that a text begins with, empty when it leaves two open, None when there is none.

        Args:
            text: The text.
            is_alone: Whether nothing may follow it that makes it a part of a sentence.
        """
        lead = _LEAD.match(text)
        first = next(self._mentions(text[:500]), None)
        start = first.start if first is not None else -1
        is_first = lead is not None and (lead.end() >= start or _NOT.search(text, lead.end(), start))
        if first is None or not is_first or (is_alone and not _ALONE.match(text, first.end)):
            return None
        joined = _LABELS_JOINED.match(text, first.end)
        other = next(
            (one for one in self._mentions(text[:500]) if joined and one.start == joined.end()), None
        )
        return "" if other is not None and other.label != first.label else first.label

    def _decided(self, sentence: str, mentions: list[Mention]) -> str | None:
        """The last label that a sentence names, unless it is joined with another one as just as good.

        What follows "because" explains the label, and does not name another one.
        """
        reason = _BECAUSE.search(sentence, mentions[0].end)
        mentions = [one for one in mentions if reason is None or one.end <= reason.start()]
        asked = [at for one in _WHETHER.finditer(sentence) for at in range(*one.span())]
        mentions = [one for one in mentions if one.start not in asked] or mentions
        if (neither := _NEITHER.search(sentence)) is not None:
            second = self._pattern.search(sentence, neither.end())
            end = second.end() if second else neither.end()
            mentions = [one for one in mentions if one.end <= neither.start() or one.start >= end]
        if not mentions or (len(mentions) > 1 and _LESS.search(sentence)):
            return None
        last = mentions[-1]
        for one in mentions[:-1]:
            is_joined = one.end == last.start or _LABELS_JOINED.fullmatch(sentence, one.end, last.start)
            if one.label != last.label and is_joined:
                return None
        return last.label

    def _reference_in(self, text: str, row: Row) -> str | None:
        """A reference that is the whole answer or a whole conclusion; else what the conclusion is."""
        last = sentences_backwards(text)[:1]
        parts = [*conclusions(text), text, *last, *(one.rpartition(":")[2] for one in last)]
        expected = {_compact(one) for one in row.references}
        if not any(letter.isalnum() for one in expected for letter in one):
            parts += _SYMBOLS.findall(text)[-1:]
        found = [_compact(part) for part in parts] + [_compact(first_sentence(part)) for part in parts]
        return next((one for one in found if one in expected), found[0] if found else None)


def _bounded(label: str) -> str:
    """A pattern for a label as a whole word, where it begins and ends with letters of words with blanks."""
    written = r"[\s_-]+".join(map(re.escape, re.split(r"(?<=\w)[\s_-]+(?=\w)|\s+", label)))
    before = r"(?<![^\W_])(?<![^\W_]-)" if _needs_edge(label[:1]) else ""
    after = r"(?![^\W_])(?!-[^\W_])" if _needs_edge(label[-1:]) else ""
    before += r"(?<!\d[.,])(?<![-−–])" if label[:1].isdecimal() else ""
    after += r"(?![.,]\d)" if label[-1:].isdecimal() else ""
    return f"{before}{written}{after}"


def _needs_edge(letter: str) -> bool:
    return letter.isalnum() and not re.match(
        r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]", letter
    )


def _is_negated(label: str, other: str) -> bool:
    """Whether a label says that another one does not apply, as "not spam" and "invalid" do."""
    negated = _ANTONYM.match(label)
    return negated is not None and _folded(label[negated.end() :]) == _folded(other)


def _folded(label: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


def _compact(text: str) -> str:
    """A text without blanks, markup and the punctuation that ends sentences."""
    return "".join(_folded(text).split()).strip("*_`$\"'“”.。,;!").strip()


_WORDS: Final = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_YES: Final = (
    "是的 是 对的 对 正确的 正确 没错 可以 会 能 有 真的 真 肯定的 属实 属实的 成立 是真的"
    " yeah yep はい 正しい 예 네 да верно правда истина"
    " oui vrai ja wahr sí sì verdadero sim verdadeiro vero"
)
_NO: Final = (
    "否 不是的 不是 不对 不正确 不 错误的 错误 错的 错 不正确的 不对的 不属实 不成立 是假的"
    " 没有 不可以 不会 不能 不行 假的 假 否定的 nope nah いいえ 아니요 아니오"
    " нет неверно ложь non faux nein falsch falso não"
)
_FOREIGN: Final = {**dict.fromkeys(_YES.split(), "yes"), **dict.fromkeys(_NO.split(), "no")}
_FOLLOWS_NO: Final = r"because|since|as|it|its|it's|you|he|she|they|we|i|this|that|the|there|not|but|and|or"
_WORD: Final = re.compile(
    rf"(?P<not>(?:\bnot|n['’]t)\s+(?:\w+ly\s+)?)?\b(?P<word>yes|true|false|no(?!\s+(?!(?:{_FOLLOWS_NO})\b)\w)(?!-\w))\b",
    re.IGNORECASE,
)
_LEADS: Final = re.compile(r"\W*")
_THERE_IS_NO: Final = r"(?:(?<!\bнет)|(?=\s*(?:[^\w\s]|\Z|потому|так)))"
"""Not as in "нет поворотов"."""
_FOREIGN_WORD: Final = (
    rf"({'|'.join(sorted(_FOREIGN, key=len, reverse=True))})"
    rf"(?=(?![\u0300-\u036f])\W|\Z|です|だ|でし|とな|입니다|예요|이에요){_THERE_IS_NO}"
)
_FOREIGN_ALONE: Final = re.compile(rf"\W{{0,8}}{_FOREIGN_WORD}\W{{0,8}}\Z", re.IGNORECASE)
_FOREIGN_START: Final = re.compile(rf"\W*{_FOREIGN_WORD}", re.IGNORECASE)
_FOREIGN_END: Final = re.compile(
    r"(?<!\bou)(?<!\boder)(?<!\bo)(?<!\bили)(?<!\be)[\s:«“„\"'*]"
    r"(ja|nein|oui|non|sí|sì|sim|não|да|нет)[\W_]{0,8}\Z",
    re.IGNORECASE,
)
_FOREIGN_JOINED: Final = re.compile(rf"\s*(?:{phrases.OR})\W*(no\b|yes\b|{_FOREIGN_WORD})", re.IGNORECASE)
_CHINESE_END: Final = re.compile(
    rf"(?:所以|因此|故|综上(?:所述)?|结论|应该|说法|陈述|命题|判断|句话|句子|观点|表述|推理|论证|描述|答案)(?:[^，。；\n]{{0,12}}?(?:是|为))?[：:，,\s]*{_FOREIGN_WORD}"
)
_CONCLUDES: Final = re.compile(
    r"\b(?:so|therefore|thus|hence|overall|finally|consequently|in conclusion|in short|to conclude)\b",
    re.IGNORECASE,
)
_YES_NO_JOINED: Final = re.compile(r"\W*(?:(?:or|and|nor)\W*(?:(?:also|maybe)\s+)?|/\W*)", re.IGNORECASE)
_PHRASES: Final = (
    (
        re.compile(r"\b(?:truth|truthful|lies|lying)\b", re.IGNORECASE),
        re.compile(
            r"(?P<no>\b(?:(?:does|is|did|was)\s*(?:not|n['’]t)\s+(?:\w+\s+)?(?:tell(?:ing)?|truthful)"
            r"|lies|lied|is\ lying|is\ a\ liar)\b)"
            r"|(?P<yes>\b(?:tells?|telling|told) the truth|is truthful\b)",
            re.IGNORECASE,
        ),
    ),
    (
        re.compile(r"\bplausible\b", re.IGNORECASE),
        re.compile(
            r"(?P<no>\b(?:not|n['’]t)\s+(?:\w+\s+)?plausible|\bimplausible)|(?P<yes>\bplausible\b)",
            re.IGNORECASE,
        ),
    ),
)
"""Ways to say yes and no to questions about something, by what the question is about."""


class YesNo(Comparing[str]):
    """The answer says yes, or no, as a reference does; true and false are the same two.

    "No" before a noun, as in "no turns", is no answer.
    """

    wanted = "yes or no"

    def read(self, answer: str, row: Row) -> str | None:
        """What it says in its conclusion, at its beginning, or in the last sentence that says either."""
        text = without_latex(answer).replace("$", "")
        corrected = after_correction(text)
        if corrected and (found := _in_sentences(corrected, row.question)):
            return found
        for conclusion in conclusions(text):
            if found := _at_start(conclusion):
                return found
        start = _at_start(text)
        concluding = next(iter(sentences_backwards(text)), "")
        if start is not None and not _CONCLUDES.search(concluding):
            return start
        return _in_sentences(text, row.question) or start

    def read_reference(self, reference: str) -> str | None:
        """What a reference says."""
        return _at_start(reference)

    def options(self, row: Row) -> dict[str, str]:  # noqa: ARG002 - other metrics read them out of the row
        """The tokens that say yes or no."""
        return {form(word): says for word, says in _WORDS.items() for form in (str, str.title, str.upper)}

    def right(self, row: Row) -> frozenset[str]:
        """What the references say."""
        return frozenset(filter(None, map(self.read_reference, row.references)))


def _at_start(text: str) -> str | None:
    if foreign := _FOREIGN_START.match(text):
        return None if _is_joined(foreign, text) else _FOREIGN[foreign[1].casefold()]
    lead = _LEADS.match(text)
    at = lead.end() if lead else 0
    word = _WORD.match(text, at)
    if word is None:
        return None
    joined = _YES_NO_JOINED.match(text, word.end())
    other = _WORD.match(text, joined.end()) if joined else None
    return None if other is not None and _meaning(other) != _meaning(word) else _meaning(word)


def _is_joined(foreign: re.Match[str], text: str) -> bool:
    """Whether a word for yes or no is joined with one for the opposite, as in "sí o no"."""
    meaning = _FOREIGN[foreign[1].casefold()]
    other = _FOREIGN_JOINED.match(text, foreign.end())
    said = other[1].casefold() if other else ""
    return _FOREIGN.get(said, _WORDS.get(said, meaning)) != meaning


def _in_sentences(text: str, question: str) -> str | None:
    """What the last sentence that says yes or no says; None when it leaves both open."""
    phrases = [phrase for about, phrase in _PHRASES if about.search(question)]
    for sentence in sentences_backwards(text):
        if (start := _FOREIGN_START.match(sentence)) and _is_joined(start, sentence):
            return None
        if (
            foreign := _CHINESE_END.search(sentence)
            or _FOREIGN_ALONE.match(sentence)
            or _FOREIGN_END.search(sentence, max(0, len(sentence) - 40))
        ):
            return _FOREIGN[foreign[1].casefold()]
        said = [(one.start(), one.end(), _meaning(one)) for one in _WORD.finditer(sentence)]
        said += [
            (one.start(), one.end(), one.lastgroup or "")
            for phrase in phrases
            for one in phrase.finditer(sentence)
        ]
        if said:
            return _last_said(sentence, sorted(said))
    return None


def _last_said(sentence: str, said: list[tuple[int, int, str]]) -> str | None:
    _, _, meaning = said[-1]
    before = [one for one in said[:-1] if one[2] != meaning]
    if before and _YES_NO_JOINED.fullmatch(sentence, before[-1][1], said[-1][0]):
        return None
    return meaning


def _meaning(word: re.Match[str]) -> str:
    meaning = _WORDS[word["word"].casefold()]
    if word["not"]:
        return "no" if meaning == "yes" else "yes"
    return meaning
