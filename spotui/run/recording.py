"""What a race found, as it is written down."""

from collections.abc import Sequence

import msgspec

from spotui.run.racing import Pair, Place
from spotui.workspace.race_file import Compared, RaceRecord, Tested


def recorded_race(record: RaceRecord, places: Sequence[Place], pairs: Sequence[Pair]) -> RaceRecord:
    """A race with what the test says."""
    return msgspec.structs.replace(
        record,
        rows=len(places[0].marks),
        tested=tuple(map(_tested, places)),
        compared=tuple(map(_compared, pairs)),
    )


def _tested(place: Place) -> Tested:
    spent = place.spending
    return Tested(
        method=place.method,
        improved=place.improved,
        score=place.score.mean,
        interval=msgspec.structs.astuple(place.score.interval),
        gain=place.gain.difference,
        gain_interval=msgspec.structs.astuple(place.gain.interval),
        calls=spent.calls,
        tokens=spent.tokens,
        cost_usd=spent.cost_usd,
        unpriced=spent.unpriced,
        estimated=spent.estimated,
        seconds=place.seconds,
        rounds=place.rounds,
    )


def _compared(pair: Pair) -> Compared:
    found = pair.comparison
    return Compared(
        one=pair.one,
        other=pair.other,
        difference=found.difference,
        interval=msgspec.structs.astuple(found.interval),
        won=found.wins,
        lost=found.losses,
        settled=found.is_settled,
    )
