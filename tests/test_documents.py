"""The documents agree with each other and with the program."""

import ast
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from spotui.cli import VERBS, exit_codes
from spotui.templates.read import check_text
from tests.command_line import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODES = {value for value in vars(exit_codes).values() if isinstance(value, int)}


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def links(document: Path) -> Iterator[str]:
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(document), flags=re.DOTALL)
    return (target for target in re.findall(r"\]\(([^)\s]+)\)", without_code) if "://" not in target)


def anchors(document: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", text_of(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    for target in links(document):
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_command_in_them_has_a_verb_of_ours(document: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", text_of(document), re.DOTALL)
    words = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    verbs = [line[1] for line in words if line[:1] == ["spotui"] and len(line) > 1]
    assert set(verbs) <= set(VERBS)


def test_the_page_about_the_command_line_names_every_exit_code() -> None:
    codes = re.findall(r"^\| (\d+) \|", text_of(ROOT / "docs" / "cli.md"), re.MULTILINE)
    assert {int(code) for code in codes} == CODES


def test_the_readme_and_the_page_about_the_command_line_name_every_verb() -> None:
    for name in ("README.md", "docs/cli.md"):
        text = text_of(ROOT / name)
        assert [verb for verb in VERBS if not re.search(rf"`(spotui )?{verb}[` ]", text)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_the_python_code_in_them_imports_names_that_exist(document: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", text_of(document), re.DOTALL):
        for statement in ast.parse(block).body:
            if isinstance(statement, ast.ImportFrom):
                module = import_module(statement.module or "")
                assert [one.name for one in statement.names if not hasattr(module, one.name)] == []


def test_the_files_and_folders_of_the_architecture_are_there() -> None:
    named = re.findall(r"`([\w./]+(?:\.py|/))`", text_of(ROOT / "docs" / "architecture.md"))
    roots = (ROOT, ROOT / "spotui", *(ROOT / "spotui").glob("*/"))
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []


def test_the_template_of_the_readme_is_one() -> None:
    template, rows = re.findall(r"```yaml\n(.*?)```", text_of(ROOT / "README.md"), re.DOTALL)
    assert check_text(template) == []
    assert yaml.safe_load(rows).keys() == {"data", "metric", "method"}


@pytest.mark.parametrize("kind", ["main", "test"])
def test_scripts_find_the_commands_of_the_readme(kind: str) -> None:
    text = text_of(ROOT / "README.md")
    (command,) = re.findall(rf"<!-- {kind} command -->\n```sh\n(.*?)```\n<!-- end -->", text, re.DOTALL)
    assert command.startswith("python3 -m venv .venv")


def test_the_page_about_settings_is_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    page = import_module("write_settings").document()
    assert text_of(ROOT / "docs" / "settings.md") == page, "run: python docs/write_settings.py"
