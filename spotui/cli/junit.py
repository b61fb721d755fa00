"""JUnit XML: what a CI shows of a score."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from spotui.runs.gates import GateResult

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, even when they are escaped."""

_LONGEST: Final = 2000
"""Characters of a row's text that are kept; a CI shows no more."""


class RowCase(NamedTuple):
    """One row of a score.

    Attributes:
        name: Where the row is from.
        text: Question, answers and marks.
        error: Why it has no mark; empty where it has one.
    """

    name: str
    text: str
    error: str = ""


def junit(name: str, score: str, gates: Sequence[GateResult], rows: Sequence[RowCase]) -> bytes:
    """A file in the form of JUnit: a suite of the gates, and one of the rows.

    A gate that fails is a failure. A row is never one: a prompt may answer some rows wrong and pass.

    Args:
        name: What was measured.
        score: The score in a line.
        gates: What they found; without any, the score is a test that passes.
        rows: Every row.
    """
    failed, skipped = sum(not one.passed for one in gates), sum(bool(one.error) for one in rows)
    tests = max(1, len(gates))
    root = ET.Element("testsuites", name="spotui", tests=str(tests + len(rows)), failures=str(failed))
    suite = ET.SubElement(root, "testsuite", name=_clean(name), tests=str(tests), failures=str(failed))
    for gate in gates or [GateResult("score", passed=True, text=score)]:
        case = ET.SubElement(suite, "testcase", classname=_clean(name), name=gate.name)
        if not gate.passed:
            ET.SubElement(case, "failure", message=_clean(gate.text), type=gate.name).text = _clean(score)
        else:
            ET.SubElement(case, "system-out").text = _clean(f"{gate.text}\n{score}")
    if rows:
        each = f"{name}.rows"
        suite = ET.SubElement(
            root, "testsuite", name=_clean(each), tests=str(len(rows)), failures="0", skipped=str(skipped)
        )
        for row in rows:
            case = ET.SubElement(suite, "testcase", classname=_clean(each), name=_clean(row.name))
            if row.error:
                ET.SubElement(case, "skipped", message=_clean(row.error))
            ET.SubElement(case, "system-out").text = _clean(row.text[:_LONGEST])
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
