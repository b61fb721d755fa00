"""Grades as models write them."""

import pytest

from spotui.domain.tags import read_form
from spotui.engine.marking import Scale, read_grade


@pytest.mark.parametrize(
    ("text", "scale", "grade"),
    [
        ("<reason>Good.</reason><score>1</score>", "binary", 1.0),
        ("<score> 0 </score>", "binary", 0.0),
        ("<score>**1**</score>", "binary", 1.0),
        ("<score>1.0</score>", "binary", 1.0),
        ("<score>1/1</score>", "binary", 1.0),
        ("First <score>0</score>, no: <score>1</score>", "binary", 1.0),
        ("<score>0.5</score>", "binary", None),
        ("<score>0.5</score>", "graded", 0.5),
        ("<score>.25</score>", "graded", 0.25),
        ("<score>1.5</score>", "graded", None),
        ("<score>7</score>", "graded", None),
        ("<score>-1</score>", "binary", None),
        ("<score>1 or 0</score>", "binary", None),
        ("<score></score>", "binary", None),
        ("It is a 1.", "binary", None),
        ("<reason tag>Good.</reason tag>\n<score tag>1</score tag>", "binary", 1.0),
        ("In a reason tag: Good.\nIn a score tag: 0", "binary", 0.0),
        ("**Reason:** Good.\n\n**Score:** 1", "binary", 1.0),
        ("<reason>Good.</reason>\n<score>1", "binary", 1.0),
        ("<reason>Good.</reason>\n<score>1</reason>", "binary", 1.0),
        ("<reason>Good.\n<score>...</score>", "binary", None),
        ("<reason>Its score: 1 of 3.</reason>", "binary", None),
        ("", "graded", None),
    ],
)
def test_only_a_clear_grade_of_the_scale_is_read(text: str, scale: Scale, grade: float | None) -> None:
    assert read_grade(read_form(text, "reason", "score").get("score", ""), scale) == grade
