"""A catalogue that puts every sentence between marks shows what a person sees outside of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests.command_line import ROOT, places, write_template
from tests.lang.catalogues import write_catalogue
from tests.model_server import ModelServer
from tests.spo_model import climbing

WORD = re.compile(r"[A-Za-z]{3,}")
ARGUMENTS = re.compile(r"\{[\w,-]+\}|-{1,2}[a-z][\w-]*|[A-Z_]{2,}(?:=[A-Z_]+)?|spotui(?: [a-z]+)*|poem")
"""Flags, placeholders, choices and verbs: they are typed as they are in any language."""


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with (ROOT / "spotui" / "lang" / "spotui.pot").open("rb") as file:
        listed = [entry.id for entry in read_po(file) if entry.id]
    marked = {one: (f"«{one[0]}»", f"«{one[1]}»") if isinstance(one, tuple) else f"«{one}»" for one in listed}
    return write_catalogue(tmp_path_factory.mktemp("lang") / "marks.mo", marked)


def said(home: Path, marks: Path, *words: str) -> str:
    """What a command writes; the width keeps every line whole."""
    env = {**places(home), "SPOTUI_LANG": str(marks), "COLUMNS": "400"}
    done = subprocess.run(
        [sys.executable, "-m", "spotui", *words],
        env=env,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def unmarked(text: str) -> list[str]:
    """The lines that have words outside of every pair of marks."""
    outside, depth = [], 0
    for char in text:
        depth += (char == "«") - (char == "»")
        if (depth == 0 and char != "»") or char == "\n":
            outside.append(char)
    assert depth == 0
    lines = [re.sub(r"^ {4}[a-z-]+ *$", "", line) for line in "".join(outside).splitlines()]
    return [line for line in lines if WORD.search(ARGUMENTS.sub("", line))]


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["run", "--help"],
        ["resume", "--help"],
        ["models", "add", "--help"],
        ["check", "poem"],
        ["check", "broken.yaml"],
        ["list"],
        ["runn"],
        ["show", "missing"],
        ["run", "missing.yaml"],
        ["run", "poem", "--modle", "x"],
        ["branch"],
    ],
    ids=" ".join,
)
def test_every_line_is_made_of_sentences_of_the_catalogue(
    words: list[str], marks: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("prompt: [\n")
    text = said(tmp_path, marks, *words)

    assert "«" in text
    assert unmarked(text.replace(os.fspath(tmp_path), "").replace("broken.yaml", "")) == []


DATA = re.compile(
    r"^\w+: spo|^  Answer in style .*|^ *\S+/prompt\.txt$|Ask for style \d\.|^why\b.*|test-model"
)
"""What a run shows that no catalogue holds: names, prompts and paths."""


def test_a_run_is_shown_in_sentences_of_the_catalogue(marks: Path, tmp_path: Path) -> None:
    workspace = ["--workspace", os.fspath(tmp_path / "workspace")]
    write_template(tmp_path)
    with ModelServer(climbing) as server:
        models = ["--base-url", server.base_url, "--model", "test-model", "--yes"]
        run = said(tmp_path, marks, "run", "why.yaml", "--max-rounds", "3", *models, *workspace)
    assert "«Outcome:»" in run
    shown = [said(tmp_path, marks, *words, *workspace) for words in (["show", "why"], ["list"])]
    found = [line for text in (run, *shown) for line in unmarked(text)]
    assert [line for line in found if WORD.search(DATA.sub("", line))] == []
