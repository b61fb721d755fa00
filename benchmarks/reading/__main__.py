"""Prints how often the metrics and the harness's rules read an answer right, and where only the latter do."""

import sys
from pathlib import Path

from benchmarks.reading.corpus import Case, cases, families
from spotui.metrics.choose import make_metric, read_choice


def is_right(case: Case) -> bool:
    """Whether our metric reads what the answer says."""
    choice, faults = read_choice(case.metric)
    assert choice is not None, faults
    return make_metric(choice, Path()).mark(case.answer, case.row).value == 1


def only_harness(found: list[Case]) -> list[Case]:
    """The answers that the harness reads right, and we do not."""
    return [case for case in found if case.harness_is_right and not is_right(case)]


def main() -> None:
    lost = []
    print("| answers like those of | answers | spotui right | harness right | only the harness right |")
    print("|---|---|---|---|---|")
    for family, found in families(cases()).items():
        lost += (missed := only_harness(found))
        ours, theirs = sum(map(is_right, found)), sum(case.harness_is_right for case in found)
        print(f"| {family} | {len(found)} | {ours} | {theirs} | {len(missed)} |")
    for case in lost:
        print(f"{case.family}: {case.answer!r} says {case.row.references[0]}")
    if lost:
        sys.exit(1)


if __name__ == "__main__":
    main()
