"""The language of the command line, and plain lines: `--lang` and `--plain`, before a verb and behind it."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spotui import lang
from spotui.cli.terminal import guarded
from spotui.settings import locations
from spotui.settings.config_file import load_config
from spotui.settings.errors import SettingsError
from tests.command_line import move_in, type_in, write_template


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """English unless a test says something else."""
    move_in(monkeypatch, tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("SPOTUI_LANG", "")
    locations.config_dir().mkdir()


@pytest.fixture(autouse=True)
def in_the_end() -> object:
    """The language of this process is put back."""
    yield
    lang.use()


def test_the_flag_comes_before_or_behind_the_verb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_template(tmp_path)
    for words in (["--lang", "zh_CN", "check", path], ["check", path, "--lang=zh_CN"]):
        monkeypatch.setenv("SPOTUI_LANG", "")
        assert type_in(capsys, *words).out.endswith("3 个问题，没有错误。\n")
    monkeypatch.setenv("SPOTUI_LANG", "")
    assert type_in(capsys, "check", path).out.endswith("3 questions, no error.\n")


def test_help_and_mistakes_are_in_that_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert type_in(capsys, "run", "--help", "--lang", "zh_CN").out.startswith("用法：")
    assert "未知命令 'rum'。" in type_in(capsys, "--lang", "zh_CN", "rum").err
    assert "缺少以下必需参数" in type_in(capsys, "--lang", "zh_CN", "show").err


@pytest.mark.parametrize(
    "words", [["--lang", "xx", "list"], ["list", "--lang=xx"], ["--lang", "/none.mo", "list"]]
)
def test_an_unknown_language_is_refused_with_those_there_are(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    done = type_in(capsys, *words)
    assert done.code == 2
    assert "Unknown language" in done.err
    assert "en, zh_CN" in done.err


def test_the_config_file_chooses_a_language_and_a_variable_comes_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    locations.config_file().write_text("language: 'zh_CN' # mine\n")
    assert load_config().config.language == "zh_CN"
    monkeypatch.delenv("SPOTUI_LANG")
    assert "还没有项目" in type_in(capsys, "list").out
    monkeypatch.setenv("SPOTUI_LANG", "en")
    assert "No projects" in type_in(capsys, "list").out


def test_a_wrong_language_in_the_config_file_is_a_mistake_with_its_line_and_shows_english(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPOTUI_LANG")
    locations.config_file().write_text("theme: moss\nlanguage: klingon\n")
    with pytest.raises(SettingsError, match=r"line 2: language must be one of en, zh_CN"):
        load_config()
    assert "No projects" in type_in(capsys, "list").out


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def test_plain_output_is_that_of_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with guarded(plain=True):
        assert not sys.stdout.isatty()
        sys.stdout.write("one\x1btwo")
    assert sys.stdout is terminal
    assert "\x1b" not in terminal.getvalue()
    with guarded():
        assert sys.stdout.isatty()


def test_the_app_is_not_plain_and_says_what_is(capsys: pytest.CaptureFixture[str]) -> None:
    done = type_in(capsys, "--plain")
    assert done.code == 2
    assert "spotui list --plain" in done.err


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_config_file_that_is_none_is_neither_waited_for_nor_read_for_ever(
    make: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = locations.config_file()
    make(path)
    said = type_in(capsys, "settings")
    assert said.code == 1
    assert str(path) in said.err
