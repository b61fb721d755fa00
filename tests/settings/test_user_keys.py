"""Reading the user's own keys."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.settings import SettingsError
from spotui.settings.user_keys import load_user_keys


def test_no_file_and_an_empty_one_are_no_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    assert load_user_keys(file).keys == {}
    file.write_text("# nothing yet\n")
    assert load_user_keys(file).keys == {}


def test_words_that_yaml_may_take_for_something_else_are_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text("a: y\nb: 5\nc: [n, '1']\nd: 'x,delete'\ne: true\n")
    assert load_user_keys(file).keys == {
        "a": ("y",),
        "b": ("5",),
        "c": ("n", "1"),
        "d": ("x", "delete"),
        "e": ("true",),
    }


@pytest.mark.parametrize("text", ["a: [", "- a\n", "just a text", "a: b\n a: c"])
def test_a_file_that_is_no_map_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"keys\.yaml"):
        load_user_keys(file)


@given(text=st.text(st.characters(codec="utf-8"), max_size=80))
def test_any_text_is_read_or_refused_with_a_reason(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(text.encode())
    try:
        found = load_user_keys(file)
    except SettingsError as error:
        said = str(error)
    else:
        said = found.path
        assert all(keys for keys in found.keys.values())
        assert set(found.keys) <= set(found.lines)
    assert "any.yaml" in said
