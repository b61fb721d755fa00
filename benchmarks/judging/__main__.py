"""What each decision rule does with judges whose faults are known, computed and simulated."""

import argparse
from collections.abc import Iterator

from benchmarks.judging import exact
from benchmarks.judging.judges import JudgeModel, simulate
from benchmarks.judging.rules import CONTENDERS, QUALITIES, Contender
from benchmarks.judging.search import Aims, Found, frontier
from spotui.judging.decision import AT_ONCE, BALANCED, THOROUGH, Boundaries, Standing

ROUNDS = 9
CAP = 10
ANSWERS = 3
SHARES = (1.0, 0.75, AT_ONCE, 0.5, 0.25, 0.0)

JUDGES = {
    **{f"right {share:.0%} of the time": JudgeModel(accuracy=share) for share in (0.6, 0.7, 0.8, 0.9, 0.95)},
    **{
        f"right 80%, {share:.0%} of its votes by position": JudgeModel(bias=share)
        for share in (0.25, 0.5, 0.75)
    },
    "by position alone": JudgeModel(bias=1.0),
    "right 80%, 30% ties": JudgeModel(ties=0.3),
    "right 80%, 30% of its replies void": JudgeModel(voids=0.3),
    "right 80%, 30% of duels with one opinion": JudgeModel(shared=0.3),
    "by position, ties and voids": JudgeModel(bias=1.0, ties=0.3, voids=0.3),
}
GOAL = Aims(accuracy=0.8, power=0.8192, equal=0.3125, worse=0.0272, cap=CAP)
"""The error rates of the reference's four votes, for a judge that is right four times in five."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duels", type=int, default=1000, help="simulated duels behind each figure")
    parser.add_argument("--cap", type=int, default=CAP, help="ballots of the rules that are searched")
    options = parser.parse_args()
    furthest = 0.0
    for what, judge in JUDGES.items():
        print(f"\n{what}")
        print(f"  {'':36} {'better':>7} {'equal':>7} {'worse':>7}   {'calls':>15}   {'false win in 9':>14}")
        for one in CONTENDERS:
            print(f"  {one.name:36} {_row(one, judge)}")
            furthest = max(furthest, *_differences(one, judge, options.duels))
    print(f"\nComputed; {options.duels} simulated duels a figure differ by {furthest:.3f} at most.")
    _print_waves()
    _print_frontier(options.cap)


def _row(one: Contender, judge: JudgeModel) -> str:
    better, equal, worse = (one.character(judge, quality) for quality in QUALITIES)
    false_win = 1 - (1 - equal.accepted) ** ROUNDS
    calls = f"{better.calls:.2f} {equal.calls:.2f} {worse.calls:.2f}"
    accepted = f"{better.accepted:7.1%} {equal.accepted:7.1%} {worse.accepted:7.1%}"
    return f"{accepted}   {calls:>15}   {false_win:14.1%}"


def _differences(one: Contender, judge: JudgeModel, duels: int) -> Iterator[float]:
    for quality in QUALITIES:
        seen = simulate(one.rule, judge, quality, duels, seed=duels)
        yield abs(seen.accepted - one.character(judge, quality).accepted)


def _print_waves() -> None:
    """What asking more votes at once costs and saves, for a judge that is right 80% of the time."""
    print(
        "\nVotes at once: a ballot goes out with those before it if it is needed with this chance or more.\n"
        "Calls and waits of a round, a proposal and three answers included, when all replies take equally\n"
        "long; the mean over a better, an equal and a worse candidate. The verdicts are the same in all."
    )
    for name, boundaries in (("balanced", BALANCED), ("thorough", THOROUGH)):
        one_by_one = _of_a_round(boundaries, 1.0)
        for share in SHARES:
            calls, waits = _of_a_round(boundaries, share)
            more, less = calls / one_by_one[0] - 1, waits / one_by_one[1] - 1
            default = "  = the default" if share == AT_ONCE else ""
            print(
                f"  {name} {share:4.0%}: {calls:5.2f} calls ({more:+.1%}), {waits:.2f} waits ({less:+.1%}), "
                f"product {calls * waits:5.1f}{default}"
            )


def _of_a_round(boundaries: Boundaries, share: float) -> tuple[float, float]:
    """Calls and waits of a round: the proposal, three answers at once, and the votes."""
    judge = JudgeModel(accuracy=GOAL.accuracy)
    of_votes = [exact.sequential(boundaries, judge, quality, share) for quality in QUALITIES]
    calls = sum(one.calls for one in of_votes) / len(of_votes)
    waves = sum(one.waves for one in of_votes) / len(of_votes)
    return 1 + ANSWERS + calls, 2 + waves


def _print_frontier(cap: int) -> None:
    print(
        f"\nThe conflict of aims: the cheapest of all rules of up to {cap} ballots that\n"
        f"accept an equal candidate so seldom, a better one {GOAL.power:.2%} or more and a worse one\n"
        f"{GOAL.worse:.2%} or less, from a judge that is right 80% of the time; calls: the mean of the three."
    )
    for limit, found in frontier(Aims(GOAL.accuracy, GOAL.power, GOAL.equal, GOAL.worse, cap), steps=10):
        longest = found.boundaries.cap
        print(f"  equal {limit:6.2%}: {found.calls:.3f} calls, {longest:2} at most{_named(found)}")
    print(
        "balanced is the default: the cheapest with the reference's error rates, and none with these\n"
        "has fewer ballots at most. thorough is for runs in which a false win costs more than calls."
    )


def _named(found: Found) -> str:
    for name, boundaries in (("balanced", BALANCED), ("thorough", THOROUGH)):
        if _decisions(found.boundaries) == _decisions(boundaries):
            return f"  = {name}"
    return ""


def _decisions(boundaries: Boundaries) -> list[tuple[int, int, str | None]]:
    """What a rule decides at every standing that it comes to, when no vote is a tie."""
    found: set[tuple[int, int, str | None]] = set()
    going = {Standing()}
    while going:
        after = {one.after("win") for one in going} | {one.after("loss") for one in going}
        found |= {(one.asked, one.lead, boundaries.decide(one)) for one in after}
        going = {one for one in after if boundaries.decide(one) is None}
    return sorted(found, key=str)


if __name__ == "__main__":
    main()
