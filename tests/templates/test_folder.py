"""The user's own templates: made, renamed, copied, archived, and never overwritten."""

from pathlib import Path

import pytest

from spotui.settings.resources import examples_dir
from spotui.templates.folder import STARTER, TemplateFolder, TemplateNameError
from spotui.templates.model import TemplateError
from spotui.templates.read import check_text


@pytest.fixture
def folder(tmp_path: Path) -> TemplateFolder:
    return TemplateFolder(tmp_path / "data" / "templates")


def names(folder: TemplateFolder) -> list[str]:
    return [path.name for path in folder.paths()]


def test_a_folder_that_is_not_there_has_no_templates_and_is_made_with_the_first(
    folder: TemplateFolder,
) -> None:
    assert folder.paths() == []
    assert folder.create("mine").read_text() == STARTER
    assert names(folder) == ["mine.yaml"]


def test_what_a_new_template_begins_with_can_be_run() -> None:
    assert check_text(STARTER) == []


def test_only_templates_are_listed_by_name(folder: TemplateFolder) -> None:
    for name in ("b", "A", "c"):
        folder.create(name)
    for name in ("notes.txt", ".hidden.yaml"):
        (folder.root / name).touch()
    (folder.root / "d.yml").touch()
    assert names(folder) == ["A.yaml", "b.yaml", "c.yaml", "d.yml"]


def test_a_copy_is_the_same_byte_for_byte(folder: TemplateFolder) -> None:
    source = examples_dir() / "poem.yaml"
    assert folder.copy(source, "my poem").read_bytes() == source.read_bytes()


def test_what_cannot_be_read_is_not_copied(folder: TemplateFolder, tmp_path: Path) -> None:
    with pytest.raises(TemplateError):
        folder.copy(tmp_path / "nowhere.yaml", "x")
    assert folder.paths() == []


@pytest.mark.parametrize("name", ["taken", "other", "", ".x", "a/b", "..", " x"])
def test_a_name_that_is_taken_or_impossible_changes_nothing(name: str, folder: TemplateFolder) -> None:
    for one in ("taken", "mine"):
        folder.create(one, one)
    (folder.root / "other.yml").touch()
    with pytest.raises(TemplateNameError):
        folder.create(name)
    with pytest.raises(TemplateNameError):
        folder.rename(folder.root / "mine.yaml", name)
    assert names(folder) == ["mine.yaml", "other.yml", "taken.yaml"]
    assert (folder.root / "taken.yaml").read_text() == "taken"


def test_a_renamed_template_keeps_its_text_and_its_ending(folder: TemplateFolder) -> None:
    folder.create("mine", "text")
    path = folder.rename(folder.root / "mine.yaml", "yours")
    assert (names(folder), path.read_text()) == (["yours.yaml"], "text")
    assert folder.rename(path, "yours") == path
    (folder.root / "old.yml").write_text("old")
    assert folder.rename(folder.root / "old.yml", "new").name == "new.yml"


def test_what_was_archived_comes_back_even_when_its_name_is_taken(folder: TemplateFolder) -> None:
    archived = folder.archive(folder.create("mine", "first"))
    assert names(folder) == []
    folder.create("mine", "second")
    back = folder.restore(archived)
    assert (back.name, back.read_text()) == ("mine-2.yaml", "first")
    assert (folder.root / "mine.yaml").read_text() == "second"


def test_two_of_one_name_are_both_kept_in_the_archive(folder: TemplateFolder) -> None:
    first = folder.archive(folder.create("mine", "1"))
    second = folder.archive(folder.create("mine", "2"))
    assert [folder.restore(one).read_text() for one in (first, second)] == ["1", "2"]
