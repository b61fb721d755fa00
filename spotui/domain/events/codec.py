"""Events as lines of the wire, and as they follow from the records of a journal."""

from typing import get_args

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.events.base import Event
from spotui.domain.events.judging import FinalCheckFinished, FinalCheckSkipped
from spotui.domain.events.run import AnyEvent, RoundFinished
from spotui.domain.events.scoring import FinalTest
from spotui.domain.records import CheckLine, FinalTestLine, RoundLine
from spotui.domain.statistics import compare, score

WIRE_VERSION = 1


class WireError(SpotuiError):
    """A line of the wire that this version cannot read."""


class _Head(msgspec.Struct):
    event: str
    version: int = 0


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_head = msgspec.json.Decoder(_Head)
_known = {kind.__struct_config__.tag for kind in get_args(AnyEvent)}


def encode_event(event: Event) -> bytes:
    """One line of the wire, with its line end."""
    try:
        return _encoder.encode(event) + b"\n"
    except UnicodeEncodeError:  # the path of a folder can hold what is no text
        import json

        text = json.dumps(msgspec.to_builtins(event), ensure_ascii=False)
        return text.encode("utf-8", "replace") + b"\n"


def decode_event(line: bytes) -> AnyEvent | None:
    """The event a line of the wire holds; None for one of a kind that this version does not know.

    Raises:
        WireError: It is of a newer wire, or it is no event.
    """
    try:
        head = _head.decode(line)
        if head.version > WIRE_VERSION:
            raise WireError(
                f"The run speaks version {head.version} of the wire.", "Update spotui to watch it."
            )
        return _decoder.decode(line) if head.event in _known else None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(f"Not an event: {error}.") from None


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
