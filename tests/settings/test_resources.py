"""Shipped folders are found from a checkout and from an installed wheel; templates by path or name."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import spotui
from spotui.settings import resources
from spotui.settings.resources import ResourceError, examples, examples_dir, find_template, themes_dir

ROOT = Path(spotui.__file__).parent.parent


def test_a_checkout_has_its_folders_beside_the_package() -> None:
    assert examples_dir() == ROOT / "examples"
    assert themes_dir() == ROOT / "themes"
    assert examples() == sorted(examples_dir().glob("*.yaml"))


CODE = """
from spotui.settings.resources import examples_dir, themes_dir, find_template
print(examples_dir(), themes_dir(), find_template("poem"), sep="\\n")
"""


def installed(site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=site,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_wheel_has_its_folders_inside_the_package(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "spotui", tmp_path / "spotui", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "examples").mkdir()  # another package's
    shipped = tmp_path / "spotui" / "_shipped"
    broken = installed(tmp_path)
    assert "ResourceError" in broken.stderr
    assert "Install spotui again." in broken.stderr
    shutil.copytree(ROOT / "examples", shipped / "examples")
    shutil.copytree(ROOT / "themes", shipped / "themes")
    found = installed(tmp_path)
    assert found.stdout.split() == [
        str(shipped / "examples"),
        str(shipped / "themes"),
        str(shipped / "examples" / "poem.yaml"),
    ]


@pytest.mark.parametrize("name", ["poem", "poem.yaml", "Poem.yaml", "POEM", "poem.yml"])
def test_an_example_is_found_by_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poem").mkdir()  # a project of that name is no template
    assert find_template(name) == examples_dir() / "poem.yaml"


def test_an_existing_file_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "poem").write_text("prompt: mine\n")
    assert find_template("poem") == Path("poem")
    assert find_template("~/poem") == tmp_path / "poem"
    assert find_template(str(tmp_path / "poem")) == tmp_path / "poem"


def test_a_template_of_the_users_own_is_found_by_name_and_wins_over_an_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own"
    monkeypatch.setenv("SPOTUI_TEMPLATES_DIR", str(own))
    assert find_template("poem") == examples_dir() / "poem.yaml"
    own.mkdir()
    for name in ("poem.yaml", "Mine.yml"):
        (own / name).write_text("prompt: mine\n")
    assert find_template("poem") == find_template("poem.yaml") == own / "poem.yaml"
    assert find_template("Mine") == own / "Mine.yml"


def test_what_is_not_there_is_an_error_with_the_nearest_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPOTUI_TEMPLATES_DIR", str(tmp_path / "own"))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "my-own.yaml").touch()
    (tmp_path / "my-task.yaml").touch()
    (tmp_path / "folder").mkdir()
    for name, what, hint in [
        ("peom", "no template 'peom'", "Did you mean poem?"),
        ("myown", "no template 'myown'", "Did you mean my-own?"),
        ("product_names.yaml", "no template", "Did you mean product-name?"),
        ("my-tsk.yaml", "no template", "Did you mean my-task.yaml?"),
        (f"{tmp_path}/mytask.yaml", "no template", f"Did you mean {tmp_path}/my-task.yaml?"),
        ("zzzzzz", "no template", "one of these names: my-own, chinese-idioms, "),
        ("nowhere/poem.yaml", "no template", "Check the path."),
        ("folder", "folder is a folder", "file in it"),
        ("", "", ""),
        ("x" * 300, "no template", "one of these"),
        ("a\0b", "no template", ""),
    ]:
        with pytest.raises(ResourceError) as caught:
            find_template(name)
        assert what in caught.value.what
        assert hint in caught.value.hint


def test_a_broken_installation_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "spotui")
    with pytest.raises(ResourceError, match="missing"):
        themes_dir()
