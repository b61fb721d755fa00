"""Exit codes."""

from typing import TYPE_CHECKING, Final

from spotui.domain.errors import SpotuiError

if TYPE_CHECKING:
    from spotui.domain.events import RunStopped


OK: Final = 0
"""The verb did what it says; a run found a better prompt."""

FAILED: Final = 1
"""The verb could not do it; standard error says why and what to do."""

USAGE: Final = 2
"""The command line is wrong."""

NO_IMPROVEMENT: Final = 3
"""A run ended as planned, and no prompt was shown to be better than the seed; or a judge that was checked is
not fit."""

BUDGET: Final = 4
"""A run ended because its budget is spent."""

CALL_FAILED: Final = 5
"""A run ended because a call failed for good or its method raised an error; it can be resumed."""

STOPPED: Final = 6
"""A run was stopped by a person; it can be resumed."""

UNMARKED: Final = 7
"""No row could be marked: every answer failed, or the metric failed for every answer."""

NO_HEADROOM: Final = 8
"""No probe is better than the seed prompt beyond chance."""

GATE: Final = 9
"""A prompt that was scored does not pass its gates."""

DIFFERS: Final = 10
"""A figure of a file that was verified differs from the journal."""

WAITING: Final = 11
"""A run has left its calls with a provider as a batch; 'spotui wait' collects the replies and continues."""

INTERRUPTED: Final = 130
"""Left at once by a second Ctrl-C; the run can be resumed."""


def of_run(stopped: "RunStopped") -> int:
    """The exit code of a run that ended."""
    match stopped.reason:
        case "budget":
            return BUDGET
        case "failed":
            return CALL_FAILED
        case "stopped":
            return STOPPED
        case "unmarked":
            return UNMARKED
        case "waiting":
            return WAITING
        case _:
            return OK if stopped.improved else NO_IMPROVEMENT


class UsageError(SpotuiError):
    """What was typed cannot be carried out as it stands."""
