"""Saving a template's text as it was typed."""

import stat
from pathlib import Path

import pytest

from spotui.templates.model import TemplateError
from spotui.templates.read import read_text
from spotui.templates.save import save_text


@pytest.mark.parametrize(
    "text", ["prompt: [broken", "\ufeffprompt: x\r\ncount: 3\r\n", "prompt: 你好 🙂", ""]
)
def test_what_is_saved_is_read_back_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    save_text(path, text)
    assert path.read_bytes() == text.encode()
    assert read_text(path) == text


def test_the_mode_and_the_link_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "mine.yaml", tmp_path / "link.yaml"
    path.write_text("prompt: old")
    path.chmod(0o600)
    link.symlink_to(path)
    save_text(link, "prompt: new")
    assert link.is_symlink()
    assert path.read_text() == "prompt: new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_half_of_a_character_is_told_with_its_line_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("prompt: old")
    with pytest.raises(TemplateError, match="line 2: There is half of a character"):
        save_text(path, "prompt: |\n  \ud83d")
    assert path.read_text() == "prompt: old"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="The file cannot be written"):
        save_text(tmp_path / "nowhere" / "mine.yaml", "prompt: x")
