"""Replies as the journal holds them; numbers that cannot be are replaced, whoever wrote them."""

import math

import msgspec

from spotui.llm.protocol import MOST_USD, Reply, Request
from spotui.llm.providers.chat.usage import estimate_usage
from spotui.workspace.lines import CallLine

_reply_decoder = msgspec.json.Decoder(Reply)
_request_decoder = msgspec.json.Decoder(Request)


def recorded_reply(line: CallLine) -> Reply:
    """The reply of a finished call; a count that cannot be is replaced by an estimate.

    Versions before this one took every number that a server sent, 10^400 tokens included.
    """
    reply = _reply_decoder.decode(line.reply)
    if not reply.usage.is_sane:
        request = _request_decoder.decode(line.request)
        usage = estimate_usage(request.messages, reply.text, reply.reasoning)
        reply = msgspec.structs.replace(reply, usage=usage)
    if not is_sane_cost(reply.cost_usd):
        reply = msgspec.structs.replace(reply, cost_usd=None)
    return reply


def is_sane_cost(cost_usd: float | None) -> bool:
    """Whether a cost is unknown, or an amount that one call can cost."""
    return cost_usd is None or (math.isfinite(cost_usd) and 0 <= cost_usd <= MOST_USD)
