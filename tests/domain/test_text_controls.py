"""Hidden characters: every one is shown as a mark, except where a script or an emoji needs it."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spotui.domain.text import settled, visible, visible_in_place

ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
TEXAS = "🏴\U000e0075\U000e0073\U000e0074\U000e0078\U000e007f"

HIDDEN = [
    *map(chr, (*range(9), *range(11, 32), *range(127, 160))),
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    *"\u00ad\u034f\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u2028\u2029\u2060\u2061\u2062\u2063\u2064\u2065",
    *map(chr, range(0x206A, 0x2070)),
    *"\u115f\u1160\u3164\uffa0\ufe00\ufe01\ufe0e\ufe0f\ufeff\ufff9\ufffa\ufffb\uffff\U0001d173\U0001bca0",
    *map(chr, (0xE0001, *range(0xE0020, 0xE0080), 0xE0100, 0xE01EF, 0xE0FFF, 0x13430)),
    "\ud800",
    "\udfff",
]


@pytest.mark.parametrize("char", HIDDEN, ids=lambda char: f"{ord(char):04X}")
def test_a_hidden_character_is_named_wherever_it_hides_nothing_else(char: str) -> None:
    for before, after in (("a", "b"), ("", ""), (" ", "."), ("\n", "\n"), ("7", "猫")):
        if (after, char) == ("\n", "\r") or (before, char, after) == ("猫", "\ufe00", ""):
            continue
        assert visible(before + char + after) == f"{before}<U+{ord(char):04X}>{after}"
        assert visible_in_place(before + char + after)[len(before)] not in HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "plain, with a tab\tand\nlines",
        "é e\u0301 ñ Å ﬁ “quotes” … – — \u00a0 \u202f \u3000 ✓",
        "👩\u200d🚀 👨\u200d👩\u200d👧\u200d👦 🧑🏽\u200d🤝\u200d🧑🏻",
        "❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈 👁\ufe0f\u200d🗨\ufe0f",
        "☺\ufe0f ☺\ufe0e 1\ufe0f\u20e3 #\ufe0f\u20e3 ↔\ufe0f ‼\ufe0f 🤷🏽\u200d♀\ufe0f ©\ufe0f",
        f"🇩🇪 {ENGLAND}",
        "می\u200cخواهم کتاب\u200cها را ه\u200d.ش",
        "क्\u200dष क्\u200cष র\u200d্য ශ්\u200dරී ക്\u200d",
        "ภาษา\u200bไทย ភាសា\u200bខ្មែរ",
        "葛\U000e0100飾 辻\U000e0101 ≨\ufe00",
        "ᠮᠣᠩᠭᠣᠯ\u180e \u1828\u180c",
        "שלום عربي 漢字 ひらがな 한국어 ไทย हिन्दी",
        "⠓⠑⠇⠇⠕⠀⠀",
    ],
)
def test_what_a_script_or_an_emoji_needs_stays_readable(text: str) -> None:
    assert visible(text) == text
    assert visible_in_place(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a<U+000D>b"),
        ("\x1b[31mred\x1b]0;t\x07", "<U+001B>[31mred<U+001B>]0;t<U+0007>"),
        ("po\u200dem", "po<U+200D>em"),
        ("می\u200c می", "می<U+200C> می"),
        ("می\u200c\u200cها", "می<U+200C><U+200C>ها"),
        ("क्\u200d\u200d", "क्\u200d<U+200D>"),
        ("😀\ufe0f\ufe0f\ufe01", "😀\ufe0f<U+FE0F><U+FE01>"),
        ("a\ufe0fb1\ufe0f2", "a<U+FE0F>b1<U+FE0F>2"),
        ("葛\U000e0100\U000e0101", "葛\U000e0100<U+E0101>"),
        ("😀\U000e0100\U000e0155", "😀<U+E0100><U+E0155>"),
        ("👩\u200d", "👩<U+200D>"),
        ("\u200d🚀", "<U+200D>🚀"),
        (
            TEXAS,
            "🏴<U+E0075><U+E0073><U+E0074><U+E0078><U+E007F>",
        ),
        (ENGLAND[:-1], "🏴" + "".join(f"<U+{ord(char):04X}>" for char in ENGLAND[1:-1])),
        ("ignore \U000e0068\U000e0069", "ignore <U+E0068><U+E0069>"),
        ("if (\u2066admin\u2069)", "if (<U+2066>admin<U+2069>)"),
    ],
)
def test_what_is_out_of_place_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_marks_in_place_tell_three_kinds_apart() -> None:
    assert visible_in_place("a\x1b\x00\x7f\x85\u202e\u2067\u200b\U000e0041\r\nb") == "a␛␀␡⌧⇄⇄⌧⌧ \nb"


TEXTS = st.text(
    st.sampled_from(HIDDEN) | st.sampled_from("a1#\n\r\t😀👩♀🏽🏴猫مक्کរไ \u20e3") | st.characters()
)


@given(TEXTS)
@example("1\ufe0f")
def test_no_text_keeps_a_command_a_direction_or_a_tag(text: str) -> None:
    for shown in (visible(text), visible_in_place(text)):
        kept = [char for char in shown.replace(ENGLAND, "") if char in HIDDEN]
        assert all(
            char in "\u200b\u200c\u200d\u115f\u1160\u180b\u180e\ufe00\ufe01\ufe0e\ufe0f"
            or "\U000e0100" <= char <= "\U000e01ef"
            or char == "\U00013430"
            for char in kept
        )
        assert not any(unicodedata.category(char) == "Cs" for char in shown)


@given(TEXTS)
def test_a_text_is_shown_the_same_when_it_is_shown_twice(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(TEXTS)
def test_marks_in_place_keep_every_position(text: str) -> None:
    shown = visible_in_place(text)
    assert len(shown) == len(text)
    assert [at for at, char in enumerate(shown) if char == "\n"] == [
        at for at, char in enumerate(text) if char == "\n"
    ]


@given(TEXTS, TEXTS)
@example("👩", "\u200d🚀")
@example("می\u200c", "خواهم")
@example("a\r", "\nb")
@example("1", "\ufe0f\u20e3")
def test_a_text_that_grows_is_shown_as_if_it_had_come_at_once(begun: str, more: str) -> None:
    end = settled(begun)
    whole = begun + more
    assert visible(whole[:end]) + visible(whole[end:]) == visible(whole)
