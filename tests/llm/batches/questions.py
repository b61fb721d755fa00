"""Questions that are asked in batches, and a model that repeats them."""

from typing import Final

from spotui.domain.calls import Reply
from spotui.settings.table import RetrySettings
from tests.llm.opening import Opened, a_key, a_request
from tests.model_server import Scripted, conversation
from tests.model_server.scripted import JsonObject

USAGE: Final = {"prompt_tokens": 1000, "completion_tokens": 250, "total_tokens": 1250}
RETRIED: Final = RetrySettings(tries=3, seconds=200.0)


def echo(request: JsonObject) -> Scripted:
    """A model that repeats what it is asked."""
    return Scripted(f"re: {conversation(request)}", usage=USAGE)


async def ask_one(opened: Opened, number: int) -> Reply:
    """The reply to a question."""
    request = a_request(f"Question {number}")
    return await opened.door.ask(a_key(number), request, is_batched=True, may_be_refused=True)
