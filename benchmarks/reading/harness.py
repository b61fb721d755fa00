"""How lm-evaluation-harness reads an answer when it is to be flexible: mostly the last match of a pattern.

Described from its documented filters for GSM8K, BIG-Bench Hard and MMLU; each function gives the text that is
then compared with the target, or an empty text where the harness finds nothing.
"""

import re
import string
from collections.abc import Mapping

_MONEY_OR_NUMBER = re.compile(r"-?[$0-9.,]{2,}|-?[0-9]+")
_DIGITS = re.compile(r"[-0-9]+")
_IN_BRACKETS = re.compile(r"\([A-Z]\)")
_NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        (
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        )
    )
}


def number(answer: str) -> str:
    """GSM8K: the last run of digits with money signs, points and commas, without the latter."""
    found = _MONEY_OR_NUMBER.findall(answer)
    return re.sub(r"\.$", "", found[-1].replace(",", "").replace("$", "")) if found else ""


def count(answer: str) -> str:
    """BBH counting: the last run of digits and dashes, or else the last number in words."""
    if found := _DIGITS.findall(answer):
        return str(found[-1])
    words = re.findall(rf"\b({'|'.join(_NUMBER_WORDS)})\b", answer.lower())
    return str(_NUMBER_WORDS[words[-1]]) if words else ""


def last_word(answer: str, *words: str) -> str:
    """BBH yes or no, true or false, valid or invalid: the last of these words, in this case."""
    found = re.findall(rf"\b({'|'.join(words)})\b", answer)
    return found[-1].lower() if found else ""


def mapped(answer: str, no: str, yes: str) -> str:
    """BBH web of lies and sports: the last of some phrases, each of which means no or yes."""
    found = list(re.finditer(rf"\b(?P<no>{no})\b|\b(?P<yes>{yes})\b", answer.lower()))
    return (found[-1].lastgroup or "") if found else ""


def choice(answer: str, options: Mapping[str, str]) -> str:
    """BBH and MMLU: the last letter in brackets, else the last text of an option, else a letter after ":"."""
    if found := _IN_BRACKETS.findall(answer):
        return str(found[-1])[1]
    bare = str.maketrans("", "", string.punctuation)
    texts = {text.lower().translate(bare): letter for letter, text in options.items()}
    if found := re.findall("|".join(map(re.escape, texts)), answer.lower().translate(bare)):
        return texts[found[-1]]
    if found := re.findall(rf":\s*([{''.join(options)}])", answer):
        return str(found[-1])
    return ""


def sorted_words(answer: str, words: list[str]) -> str:
    """BBH word sorting: the words in the order in which each is named for the last time."""
    found = re.findall("|".join(rf"\b{re.escape(word)}\b" for word in words), answer)
    return " ".join(reversed(dict.fromkeys(reversed(found))))


def brackets(answer: str) -> str:
    """BBH Dyck languages: the last run of brackets and blanks."""
    found = re.findall(r"(?<= )[\" \[\](){}<>]+|[\" \[\](){}<>]+", answer)
    return found[-1].strip() if found else ""
