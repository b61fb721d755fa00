"""spotui import: files, report, and what it refuses."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

CONFIG = """\
prompts: ["Capital of {{country}}?", "{{country}}: capital?"]
providers: [echo]
tests:
  - {vars: {country: France}, assert: [{type: icontains, value: paris}, {type: cost, threshold: 1}]}
  - {vars: {country: Peru}, assert: [{type: icontains, value: lima}]}
  - {vars: {country: Chad}, assert: [{type: icontains, value: n'djamena}]}
"""


@pytest.fixture
def config(home: Path) -> Path:
    """A configuration in a folder of its own."""
    path = home / "geo" / "promptfooconfig.yaml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def test_an_import_writes_templates_that_check_finds_clean(shell: Shell, home: Path, config: Path) -> None:
    done = shell("import", str(config))

    assert done.code == 0
    assert "Imported 2 templates from promptfooconfig.yaml (promptfoo):" in done.out
    assert "  geo-1.yaml, geo-rows.jsonl: 3 rows" in done.out
    assert "2 things were left out or changed" not in done.out
    assert "The assert `cost` is left out. Costs belong to a run: give it a budget." in done.err
    for name in ("geo-1.yaml", "geo-2.yaml"):
        checked = shell("check", name)
        assert (checked.code, checked.out) == (
            0,
            f"{name}: 3 rows (1 to write prompts from, 1 to choose by, 1 to test on), no error.\n",
        )


def test_nothing_is_replaced_unasked(shell: Shell, home: Path, config: Path) -> None:
    words = ("import", str(config), "--prompt", "2", "--output", "new.yaml")
    assert shell(*words).code == 0
    before = (home / "new.yaml").read_text()
    assert "{country}: capital?" in before

    again = shell(*words)
    hint = "Choose another file with --output, or add --force to replace it."
    assert (again.code, again.err) == (1, f"spotui: new.yaml exists already.\n        {hint}\n")
    assert shell(*words, "--force").code == 0
    taken = shell("import", str(config), "--prompt", "1", "--force", "--output", str(config))
    assert taken.code == 1
    assert "is what is imported, and is not replaced" in taken.err
    assert config.read_text() == CONFIG


def test_json_has_the_files_and_every_note(shell: Shell, home: Path, config: Path) -> None:
    done = shell("import", str(config), "--json", "--prompt", "1", "-o", "a.yaml")
    report = json.loads(done.out)
    assert done.err == ""
    assert report["format"] == "promptfoo"
    assert report["files"] == ["a.yaml", "a-rows.jsonl"]
    assert report["templates"] == [
        {
            "file": "a.yaml",
            "label": "",
            "rows": 3,
            "metric": {"name": "checks", "type": "icontains"},
            "prompt": "Capital of {country}?",
        }
    ]
    assert {
        "where": "promptfooconfig.yaml, tests[1].assert[2]",
        "what": "The assert `cost` is left out.",
        "why": "Costs belong to a run: give it a budget.",
        "count": 1,
    } in report["notes"]


def test_a_dry_run_reports_and_writes_nothing(shell: Shell, home: Path, config: Path) -> None:
    done = shell("import", "geo", "--dry-run")
    assert done.code == 0
    assert done.out.startswith(
        "geo (promptfoo) would become 2 templates:\n  geo-1.yaml, geo-rows.jsonl: 3 rows"
    )
    assert "The assert `cost` is left out." in done.err
    assert [path.name for path in home.iterdir() if path.suffix in (".yaml", ".jsonl")] == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nope.yaml",), 1, "nope.yaml does not exist."),
        (("geo", "--from", "promptfo"), 1, "Did you mean promptfoo?"),
        (("geo", "--prompt", "7"), 2, "Choose one of 1, 2."),
        (("geo", "--output", "x.txt"), 2, "Let it end in .yaml."),
        (("geo", "--env", "NOT_SET_ANYWHERE"), 2, "NOT_SET_ANYWHERE is not set"),
    ],
)
def test_wrong_words_are_named(
    shell: Shell, config: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = shell("import", *words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_a_file_outside_is_read_only_with_trust(shell: Shell, home: Path, config: Path) -> None:
    (home / "more.csv").write_text("country,__expected\nOman,Muscat\nMali,Bamako\nCuba,Havana\n")
    config.write_text("prompts: ['{{country}}?']\nproviders: [echo]\ntests: file://../more.csv\n")

    refused = shell("import", "geo")
    assert refused.code == 1
    assert "promptfooconfig.yaml, tests[1] refers to" in refused.err
    assert f"--trust {home / 'more.csv'}" in refused.err
    assert not (home / "geo.yaml").exists()

    assert shell("import", "geo", "--trust", "more.csv").code == 0
    assert "Muscat" in (home / "geo-rows.jsonl").read_text()
