"""Reading the user's own keys."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.settings.errors import SettingsError
from spotui.settings.shortcuts import load_user_keys, save_user_keys


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


def test_a_key_is_saved_changed_and_taken_out_and_the_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "config" / "keys.yaml"
    save_user_keys("run.stop", ("S",), file)
    file.write_text(f"# mine\n{file.read_text()}home.undo: z  # as elsewhere\n")
    save_user_keys("run.stop", ("5", "delete"), file)
    assert load_user_keys(file).keys == {"run.stop": ("5", "delete"), "home.undo": ("z",)}
    save_user_keys("run.stop", (), file)
    assert file.read_text() == "# mine\nhome.undo: z  # as elsewhere\n"
    save_user_keys("never.there", (), file)
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "key", ["y", "5", "true", "null", "~", "#", "'", '"', "[", "-", "?", ":", "*", "ctrl+s", "é"]
)
def test_every_key_comes_back_as_it_was_saved(tmp_path: Path, key: str) -> None:
    file = tmp_path / "keys.yaml"
    save_user_keys("run.stop", (key,), file)
    assert load_user_keys(file).keys == {"run.stop": (key,)}


@pytest.mark.parametrize("text", ["a: [", "- a\n", "a: &x b\nrun.stop: *x\n"])
def test_a_file_that_cannot_be_changed_safely_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"keys\.yaml"):
        save_user_keys("a", ("x",), file)
    assert file.read_text() == text
