"""What a person reads is plain English: these phrases stay out of it."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.command_line import ROOT
from tests.source import FILES, parsed, without_collecting

BANNED = {
    r"\b(is|are|was|were|be|been) told\b": "is set, given, shown, reported",
    r"\bmends?\b(?!:)": "fix, hint",
    r"\b(go|goes|going|went) on with\b": "resume, continue",
    r"\bWrite such as\b": "For example",
    r"\bThere is no (verb|branch|metric|column|method|command|setting)\b": "Unknown ...",
    r"\b(what holds|only what holds)\b": "matches",
    r"\btakes? (it )?along\b": "export, copy",
    r"\bdeleted ones\b": "trash",
    r"\bstands? (below|here|above)\b": "is below",
    r"\b[Ww]hat (can be done|has focus)\b": "the action, this panel",
    r"\b[Bb]esides,": "also",
    r"\band the like\b": "name them",
    r"\bas well as such\b": "also",
    r"\bat work\b": "running",
    r"\b(for nobody|nobody knows|nobody has)\b": "unknown, not counted",
    r"\bin a muddle\b": "the technical fact",
    r"\bof (one's|your|its|their|our) own\b": "custom, separate, your",
    r"\bnats\b": "log-probability",
    r"\btypicality\b": "the technical fact",
}
PHRASES = re.compile("|".join(f"(?:{phrase})" for phrase in BANNED))


def sentences() -> Iterator[tuple[str, str]]:
    text = (ROOT / "spotui" / "lang" / "spotui.pot").read_text(encoding="utf-8")
    for entry in text.split("\n\n"):
        yield "spotui.pot", "".join(re.findall(r'^(?:msgid(?:_plural)? )?"(.*)"$', entry, re.MULTILINE))


def paragraphs() -> Iterator[tuple[str, str]]:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for paragraph in path.read_text(encoding="utf-8").split("\n\n"):
            yield path.name, " ".join(paragraph.split())


def docstrings() -> Iterator[tuple[str, str]]:
    for path in FILES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield str(path.relative_to(ROOT)), " ".join((ast.get_docstring(node) or "").split())


@pytest.mark.parametrize("texts", [sentences, paragraphs, docstrings])
def test_no_banned_phrase_is_used(texts: "type[Iterator[tuple[str, str]]]") -> None:
    with without_collecting():
        found = [(where, match[0]) for where, text in texts() for match in PHRASES.finditer(text)]
    assert found == []
