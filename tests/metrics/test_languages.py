"""What answers in many languages and forms say: a number, a choice, a label, yes or no."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.metrics.marking import fault, mark

TABLES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("languages.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", ["number", "multiple_choice", "label", "yes_no"])
def test_no_answer_is_misread(name: str) -> None:
    misread = []
    tables = [one for one in TABLES if name in str(one["metric"]) and "answers" in one]
    for table in tables:
        reference = next(one for one in table["answers"] if one != "none")
        for wanted, answers in table["answers"].items():
            for answer in answers:
                found = mark(table["metric"], answer, reference, question=table.get("question", "?")).read
                misread += [] if (found or "none") == wanted else [(answer, wanted, found)]
    assert misread == []
    assert sum(len(each) for table in tables for each in table["answers"].values()) > 100


def test_a_reference_is_read_whole_or_refused() -> None:
    (table,) = (one for one in TABLES if "references" in one)
    for wanted, references in table["references"].items():
        for one in references:
            assert bool(fault("number", one)) == (wanted == "refused"), one
            assert wanted == "refused" or mark("number", wanted, one).value == 1, one
