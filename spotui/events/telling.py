"""Lines of the journal told as the events that they were."""

import msgspec

from spotui.events.judging import FinalCheckFinished, FinalCheckSkipped
from spotui.events.kinds import RoundFinished
from spotui.events.scoring import FinalTest
from spotui.statistics import compare, score
from spotui.workspace.lines import CheckLine, FinalTestLine, RoundLine


def told_round(line: RoundLine, best: int) -> RoundFinished:
    """How a round ended; people's votes on single questions are only counted together.

    Of a round that SPO's own tool ran, the tokens are those of its answers, as that tool counts them.

    Args:
        line: The round.
        best: The best round once it has ended.
    """
    choices = [vote.choice for vote in line.votes if vote.question is None]
    return RoundFinished(
        round=line.round,
        outcome=line.outcome,
        best=best,
        wins=choices.count("win"),
        losses=choices.count("loss"),
        ties=choices.count("tie"),
        voids=choices.count("void"),
        seconds=line.seconds,
        calls=line.calls,
        prompt_tokens=line.prompt_tokens,
        completion_tokens=line.tokens if line.added else line.completion_tokens,
        cost_usd=line.cost_usd,
        estimated=line.estimated,
        modification=line.modification,
        note=line.note,
        win_rate=line.win_rate,
        win_interval=line.win_interval,
        flipped=line.flipped,
        length_ratio=line.length_ratio,
        score=line.score,
        score_interval=line.score_interval,
        edit_budget=line.edit_budget,
        prompt=line.prompt if line.score is not None else "",
        judged=line.judged,
    )


def told_test(line: FinalTestLine, seed: int) -> FinalTest:
    """What a test at the end says, with its intervals.

    Args:
        line: The marks of both prompts.
        seed: The run's.
    """
    old, new = score(line.seed_marks, seed=seed), score(line.best_marks, seed=seed)
    paired = compare(line.seed_marks, line.best_marks, seed=seed)
    return FinalTest(
        best=line.best,
        rows=len(line.best_marks),
        seed_score=old.mean,
        seed_interval=msgspec.structs.astuple(old.interval),
        best_score=new.mean,
        best_interval=msgspec.structs.astuple(new.interval),
        difference=paired.difference,
        difference_interval=msgspec.structs.astuple(paired.interval),
        wins=paired.wins,
        losses=paired.losses,
        ties=paired.ties,
        p=paired.p,
        left_out=paired.left_out,
    )


def told_check(line: CheckLine) -> FinalCheckFinished | FinalCheckSkipped:
    """What a final check found, or why there was none."""
    if line.skipped:
        return FinalCheckSkipped(best=line.best, why=line.skipped)
    choices = [row.choice for row in line.rows]
    return FinalCheckFinished(
        best=line.best,
        outcome=line.outcome,
        headline=line.headline,
        questions=len(line.rows),
        held_out=sum(row.held_out for row in line.rows),
        wins=choices.count("win"),
        losses=choices.count("loss"),
        ties=choices.count("tie"),
        voids=choices.count("void"),
        win_rate=line.win_rate,
        win_interval=line.win_interval,
        rows=tuple(choices),
        ranking=line.ranking,
    )
