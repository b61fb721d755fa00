"""What a key may be called."""

import pytest

from spotui.tui.bindings import fault_of, normalised, types_something


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("?", "question_mark"),
        ("ctrl+[", "ctrl+left_square_bracket"),
        ("+", "plus"),
        ("ctrl++", "ctrl+plus"),
        ("K", "K"),
        ("f1", "f1"),
        ("ctrl+s", "ctrl+s"),
    ],
)
def test_a_key_is_called_as_textual_calls_it(written: str, called: str) -> None:
    assert normalised(written) == called


@pytest.mark.parametrize(
    "key",
    ["a", "K", "5", "f12", "ctrl+s", "space", "pageup", "question_mark", "é", "alt+x", "shift+up", "comma"],
)
def test_keys_that_can_be_used(key: str) -> None:
    assert fault_of(key) == ("", "")


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("ctrl+h", "backspace"),
        ("ctrl+i", "tab"),
        ("ctrl+m", "enter"),
        ("ctrl+left_square_bracket", "escape"),
        ("ctrl+shift+s", "ctrl+s"),
        ("ctlr+s", "'ctlr'"),
        ("pagdown", "Did you mean pagedown?"),
        ("ctrl+pagdown", "Did you mean ctrl+pagedown?"),
        ("shift+k", "Write K."),
        ("", "is not a key"),
        ("<any>", "is not a key"),
        ("f99", "is not a key"),
    ],
)
def test_keys_that_cannot_be_used_and_why(key: str, what: str) -> None:
    assert what in " ".join(fault_of(key))


def test_what_is_typed_into_texts() -> None:
    assert [key for key in ("a", "question_mark", "space", "enter") if not types_something(key)] == []
    assert [key for key in ("ctrl+s", "f1", "escape", "up") if types_something(key)] == []
