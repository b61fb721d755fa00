"""The events of model calls."""

from spotui.events.base import Event
from spotui.workspace.lines import CallKey


class CallEvent(Event, frozen=True, kw_only=True):
    """Something about one model call, named by what asked for it."""

    key: CallKey


class CallStarted(CallEvent, frozen=True, kw_only=True, tag="call_started"):
    """A request went out."""

    model: str


class CallDelta(CallEvent, frozen=True, kw_only=True, tag="call_delta"):
    """A piece of a reply arrived; only sent to listeners that asked for deltas."""

    text: str = ""
    reasoning: str = ""


class CallRetried(CallEvent, frozen=True, kw_only=True, tag="call_retried"):
    """A try failed and another will follow after `wait` seconds."""

    error: str
    kind: str
    tries: int
    wait: float


class CallFinished(CallEvent, frozen=True, kw_only=True, tag="call_finished"):
    """A reply is in the journal; `recorded` when it was there already and cost nothing now."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    cost_usd: float | None = None
    estimated: bool = False
    recorded: bool = False
    finish_reason: str = "stop"


class CallDropped(CallEvent, frozen=True, kw_only=True, tag="call_dropped"):
    """A call brought no reply that counts: cancelled, cut by the budget, or `failed` for good."""

    why: str
    failed: bool = False
