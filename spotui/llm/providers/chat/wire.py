"""The chat completions wire without the network: a request's body."""

from collections.abc import Set as AbstractSet

from spotui.llm.protocol import Request
from spotui.workspace.whole_text import whole_text


def request_body(request: Request, model: str, refused: AbstractSet[str]) -> dict[str, object]:
    """The JSON object of a chat completion.

    Args:
        request: What to ask.
        model: The model id the endpoint knows.
        refused: Parameters the endpoint has refused before; they are left out or renamed.
    """
    messages = [{"role": m.role, "content": whole_text(m.content)} for m in request.messages]
    body: dict[str, object] = {"model": model, "messages": messages}
    if "stream" not in refused:
        body["stream"] = True
        if "stream_options" not in refused:
            body["stream_options"] = {"include_usage": True}
    if request.temperature is not None and "temperature" not in refused:
        body["temperature"] = request.temperature
    limit = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
    if request.max_tokens is not None and limit not in refused:
        body[limit] = request.max_tokens
    if request.grammar is not None:
        body["grammar"] = request.grammar
    if (request.logprobs or request.alternatives) and "logprobs" not in refused:
        body["logprobs"] = True
        if request.alternatives and "top_logprobs" not in refused:
            body["top_logprobs"] = request.alternatives
    if request.json and "response_format" not in refused:
        body["response_format"] = {"type": "json_object"}
    return body
