"""A key is found in what servers say, in its common disguises, and ordinary text is left alone."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.secret import Redactor, Secret, redacted

KEY = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
KEYS = [KEY, "gsk_Zx9Yw8Vu7Ts6Rq5Po4Nm3", "0123456789abcdef0123456789abcdef", "sk-very-secret-0123456789"]

DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "swapped case": str.swapcase,
    "cut at its end": lambda key: key[: len(key) * 2 // 3],
    "cut at its beginning": lambda key: key[len(key) // 3 :],
    "its middle": lambda key: key[len(key) // 4 : -len(key) // 4],
    "base64": lambda key: b64encode(key.encode()).decode(),
    "base64 of a header": lambda key: b64encode(f"Bearer {key}".encode()).decode(),
    "base64 in a login": lambda key: b64encode(f"me:{key}".encode()).decode(),
    "base64 for addresses": lambda key: urlsafe_b64encode(f"x{key}".encode()).decode(),
    "base64 without its end": lambda key: b64encode(key.encode()).decode()[:-6],
    "hexadecimal": lambda key: key.encode().hex(),
    "upper hexadecimal": lambda key: key.encode().hex().upper(),
    "backwards": lambda key: key[::-1],
    "in an address": lambda key: f"?key={quote(key, safe='')}",
    "an address of escapes alone": lambda key: "".join(f"%{byte:02X}" for byte in key.encode()),
    "an address with a few escapes": lambda key: "".join(
        f"%{ord(one):02x}" if at % 5 == 2 else one for at, one in enumerate(key)
    ),
    "escapes of a string": lambda key: "".join(f"\\u{ord(one):04x}" for one in key),
    "bytes of a string": lambda key: "".join(f"\\x{ord(one):02x}" for one in key),
    "HTML": lambda key: "".join(f"&#{ord(one)};" for one in key),
    "HTML in hexadecimal": lambda key: "".join(f"&#x{ord(one):x};" for one in key),
    "unseen characters between": "\u200b".join,
    "base64 with escapes": lambda key: quote(b64encode(f"{key}?".encode()).decode()).replace("a", "%61"),
    "twice": lambda key: f"{key}{key}",
    "blanks between": " ".join,
    "line breaks in it": lambda key: "\n".join(key[at : at + 7] for at in range(0, len(key), 7)),
    "a list in JSON": lambda key: json.dumps(list(key)),
    "dashes between, backwards": lambda key: "-".join(key[::-1]),
    "base64 in short lines": lambda key: "\r\n".join(
        b64encode(key.encode()).decode()[at : at + 10] for at in range(0, 90, 10)
    ).strip(),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("name", DISGUISES)
def test_a_key_is_found_in_every_disguise(name: str, key: str) -> None:
    hidden = DISGUISES[name](key)
    said = redacted(f"Your key {hidden} is wrong — ключ {hidden}.", [Secret(key)])
    assert hidden not in said
    assert said.count("[key]") >= 2
    left = said.replace("[key]", " ")
    assert longest_common(left, hidden) < 8 + len("?key=")


def longest_common(one: str, other: str) -> int:
    """The length of the longest run that two texts share."""
    return max(
        (
            size
            for size in range(1, len(other) + 1)
            for at in range(len(other) - size + 1)
            if other[at : at + size] in one
        ),
        default=0,
    )


@pytest.mark.parametrize("key", ["none", "EMPTY", "ollama", "lm-studio", "not-needed", ""])
def test_a_word_that_stands_for_a_key_is_left_in_replies(key: str) -> None:
    text = "The list is EMPTY, none of it in ollama or lm-studio is not-needed."
    assert redacted(text, [Secret(key)]) == text


def test_the_public_beginning_of_a_key_is_no_key() -> None:
    text = "OpenAI's keys begin with sk-proj- and Anthropic's with sk-ant-api03-."
    assert redacted(text, [Secret(KEY), Secret("sk-ant-api03-ABCDEFGHIJKLMNOPQRST")]) == text


def test_a_short_key_is_masked_as_a_whole() -> None:
    assert redacted("sk-test, SK-TEST, c2stdGVzdA==", [Secret("sk-test")]) == "[key], [key], [key]A=="
    assert redacted("sk-te", [Secret("sk-test")]) == "sk-te"


@given(st.text(), st.sampled_from(KEYS))
def test_text_without_a_key_is_left_alone(text: str, key: str) -> None:
    assert redacted(text, [Secret(key)]) == text
    redactor = Redactor([Secret(key)])
    assert "".join([*map(redactor.feed, text), redactor.flush()]) == text


@given(
    st.sampled_from(KEYS),
    st.sampled_from(sorted(DISGUISES)),
    st.text(max_size=20),
    st.text(max_size=20),
    st.lists(st.integers(0, 120), max_size=12),
)
def test_a_key_that_comes_in_pieces_is_never_shown(
    key: str, name: str, before: str, after: str, cuts: list[int]
) -> None:
    hidden = DISGUISES[name](key)
    whole = before + hidden + after
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    redactor = Redactor([Secret(key)])
    shown = [redactor.feed(whole[start:end]) for start, end in pairwise(places)]
    said = "".join([*shown, redactor.flush()])
    assert hidden not in said
    assert "[key]" in said
    assert said.startswith(before[: max(0, len(before) - 8)])


def test_a_long_text_is_searched_quickly() -> None:
    import time

    text = "The quick brown fox jumps over the lazy dog, and so on. " * 20_000
    secret = Secret(KEY)
    began = time.process_time()
    assert redacted(text, [secret]) == text
    assert time.process_time() - began < 2
