"""Several judges: what each one's votes say about it, and how often they agree."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import msgspec

from spotui.judging.pooling import pooled
from spotui.judging.reliability import Cast, Fault, Reliability, interval


class Panel(msgspec.Struct, frozen=True):
    """The record of all judges over some duels.

    Attributes:
        records: Each judge's own, by its name; an empty name where there is one judge alone.
        compared: Pairs of judges that chose sides in the same duel.
        agreed: Those that chose the same one.
    """

    records: Mapping[str, Reliability] = {}
    compared: int = 0
    agreed: int = 0

    def after(self, duel: Sequence[Cast]) -> "Panel":
        """The record with one duel more."""
        judges = list(dict.fromkeys(vote.judge for vote in duel))
        of = {judge: [vote for vote in duel if vote.judge == judge] for judge in judges}
        records = dict(self.records)
        for judge, votes in of.items():
            records[judge] = records.get(judge, Reliability()).after(votes)
        sides = [pooled([vote.choice for vote in votes]) for votes in of.values()]
        pairs = [(one, other) for one, other in combinations(sides, 2) if {one, other} <= {"win", "loss"}]
        return Panel(
            records, self.compared + len(pairs), self.agreed + sum(one == other for one, other in pairs)
        )

    @property
    def together(self) -> Reliability:
        """All judges as if they were one."""
        fields = Reliability.__struct_fields__
        return Reliability(
            **{name: sum(getattr(one, name) for one in self.records.values()) for name in fields}
        )

    @property
    def agreement(self) -> float | None:
        """How often two judges that choose sides choose the same one."""
        return self.agreed / self.compared if self.compared else None

    @property
    def agreement_interval(self) -> tuple[float, float] | None:
        """The 95% interval of the agreement."""
        return interval(self.agreed, self.compared) if self.compared else None

    @property
    def faults(self) -> frozenset[tuple[str, Fault]]:
        """The judges with which something is wrong, and what."""
        return frozenset((judge, record.fault) for judge, record in self.records.items() if record.fault)

    @property
    def warning(self) -> str:
        """What is wrong with any judge, with its name where there are several."""
        several = len(self.records) > 1
        return " ".join(
            f"{judge}: {record.warning}" if several else record.warning
            for judge, record in self.records.items()
            if record.warning
        )
