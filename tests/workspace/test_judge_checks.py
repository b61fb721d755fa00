"""What judge-checks have found is remembered, and told again for the same judge alone."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from spotui.domain.errors import SpotuiError
from spotui.workspace.judge_checks import CheckedJudge, JudgeCheck, calls_folder, recall_check, remember_check

JUDGE = CheckedJudge(models=("m",), endpoints=("",), judge="balanced", unit="set", json=False)
CHECK = JudgeCheck(of=JUDGE, template="poem", at=1.0, comparisons=12, settled=10, pairs=12, flips=1, fit=True)


def test_the_newest_check_on_the_template_comes_first_then_the_newest_on_any(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    assert recall_check(folder, JUDGE, "poem") is None
    for at, template in enumerate(("poem", "names", "poem", "letters")):
        remember_check(folder, replace(CHECK, at=float(at), template=template))
    found = {name: recall_check(folder, JUDGE, name) for name in ("poem", "names", "other")}
    assert {name: check and (check.at, check.template) for name, check in found.items()} == {
        "poem": (2.0, "poem"),
        "names": (1.0, "names"),
        "other": (3.0, "letters"),
    }


@pytest.mark.parametrize(
    "other",
    [
        replace(JUDGE, models=("m", "n"), endpoints=("", "")),
        replace(JUDGE, endpoints=("http://elsewhere/v1",)),
        replace(JUDGE, judge="thorough"),
        replace(JUDGE, unit="row"),
        replace(JUDGE, json=True),
    ],
)
def test_another_judge_is_another(tmp_path: Path, other: CheckedJudge) -> None:
    remember_check(tmp_path, CHECK)
    assert recall_check(tmp_path, other, "poem") is None


def test_a_torn_line_costs_that_line_alone(tmp_path: Path) -> None:
    remember_check(tmp_path, CHECK)
    file = tmp_path / "checks.jsonl"
    file.write_bytes(file.read_bytes() + b'{"of":{"models":["m"')
    remember_check(tmp_path, replace(CHECK, at=2.0))
    found = recall_check(tmp_path, JUDGE, "poem")
    assert found is not None
    assert found.at == 2.0


def test_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpotuiError, match="cannot be kept"):
        remember_check(tmp_path / "file", CHECK)


def test_calls_at_other_endpoints_are_others(tmp_path: Path) -> None:
    alone = calls_folder(tmp_path, "poem", [""])
    here, there = (calls_folder(tmp_path, "poem", ["", f"http://{host}/v1"]) for host in ("a", "b"))
    assert len({alone, here, there}) == 3
    assert here == calls_folder(tmp_path, "poem", ["http://a/v1", "http://a/v1"])
