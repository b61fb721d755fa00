"""docs/methods.md says what there is."""

import re
from pathlib import Path

import pytest

from spotui.methods import METHODS, load_method
from spotui.methods.parameters import describe_parameters
from spotui.metrics.choose import CHOICES
from spotui.templates.data.source import KEYS
from spotui.templates.read import check_text

DOCUMENT = (Path(__file__).parents[2] / "docs" / "methods.md").read_text()
SECTIONS = {
    "gpo": "### GPO and its relatives",
    "gradsum": "### GRAD-SUM",
    "fewshot": "### Few-shot",
    "gepa": "### GEPA\n",
    **dict.fromkeys(
        ("dspy-miprov2", "dspy-copro", "dspy-gepa", "gepa-engine"), "### Optimizers of DSPy and GEPA"
    ),
}


def section(name: str) -> str:
    return re.split(r"\n##", DOCUMENT.split(SECTIONS[name])[1])[0]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_parameter_is_there_with_its_default_values_and_other_name(name: str) -> None:
    method = load_method(name)
    rows = {
        line.split("`")[1]: line.split(" | ") for line in section(name).splitlines() if line.startswith("| `")
    }
    flags: dict[str, list[str]] = {}
    for flag, alias in method.aliases.items():
        flags.setdefault(alias.name, []).append(f"`{flag}`")
    for one in describe_parameters(method):
        _, default, what, takes, *other = (cell.strip(" |") for cell in rows[one.name])
        shown = str(one.default).lower() if isinstance(one.default, bool | None) else str(one.default)
        assert (default, what, takes) == (shown, one.what, one.takes)
        if name == "gpo":
            assert other == [", ".join(flags.get(one.name, []))]


def test_every_method_and_preset_is_there() -> None:
    for name in METHODS:
        method = load_method(name)
        assert f"| `{name}` | {method.summary} | {method.source} |" in DOCUMENT
    for name in ("ape", "apo", "opro", "pe2", "sgdm"):
        (line,) = (line for line in section("gpo").splitlines() if line.startswith(f"| `{name}` |"))
        assert dict(re.findall(r"`(\w+): ([\w+]+)`", line)) == {
            key: str(value) for key, value in load_method(name).defaults.items()
        }


def test_every_metric_is_there() -> None:
    table = DOCUMENT.split("## Metrics")[1].split("\n## ")[0]
    assert set(CHOICES) <= set(re.findall(r"`(\w+)`", table))


def test_the_template_in_it_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert check_text(text) == []
    assert {"path", "columns", "split"} <= set(KEYS)
