"""What a run is expected to take, role by role, and how that is said."""

from typing import Literal

import msgspec

from spotui.settings.roles import Role
from spotui.view.figures import count, duration, plural, usd


class Share(msgspec.Struct, frozen=True):
    """What one role, or the embedding model, is expected to take.

    Attributes:
        role: Which.
        model: Its model.
        calls: How many.
        prompt_tokens: In all its requests.
        completion_tokens: In all its replies.
        usd: What they cost, or None when the price is unknown.
    """

    role: Role | Literal["embedding"]
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None


class Estimate(msgspec.Struct, frozen=True):
    """What a run is expected to take; all figures are rough.

    Attributes:
        shares: One a role.
        seconds: The critical path.
        warnings: What stands against starting it.
        measured: Whether earlier runs have measured the speed of every model.
    """

    shares: tuple[Share, ...]
    seconds: float
    warnings: tuple[str, ...] = ()
    measured: bool = False

    @property
    def calls(self) -> int:
        """Of all roles."""
        return sum(one.calls for one in self.shares)

    @property
    def tokens(self) -> int:
        """Prompt and completion of all roles."""
        return sum(one.prompt_tokens + one.completion_tokens for one in self.shares)

    @property
    def usd(self) -> float | None:
        """Of all roles, or None when a price is unknown."""
        costs = [one.usd for one in self.shares]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def line(self) -> str:
        """The estimate on one line."""
        return (
            f"about {plural(self.calls, 'call')}, {count(self.tokens)} tokens, {usd(self.usd)}, "
            f"{duration(self.seconds)}."
        )
