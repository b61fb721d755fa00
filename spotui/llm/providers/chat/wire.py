"""The chat completions wire without the network: a request's body, a reply put together from pieces."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from spotui.llm.protocol import Delta, FinishReason, Request, Usage
from spotui.llm.providers.chat.text_stream import SurrogateJoiner, ThinkSplitter, split_unopened
from spotui.llm.providers.chat.usage import read_usage
from spotui.workspace.whole_text import whole_text

_FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
}
_ABORTED: Final = frozenset({"error", "abort", "insufficient_system_resource"})


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
    if request.max_tokens is not None:
        body["max_completion_tokens" if "max_tokens" in refused else "max_tokens"] = request.max_tokens
    if request.grammar is not None:
        body["grammar"] = request.grammar
    if (request.logprobs or request.alternatives) and "logprobs" not in refused:
        body["logprobs"] = True
        if request.alternatives and "top_logprobs" not in refused:
            body["top_logprobs"] = request.alternatives
    if request.json and "response_format" not in refused:
        body["response_format"] = {"type": "json_object"}
    return body


class ReplyAssembler:
    """Puts one reply together, from the chunks of a stream or from one whole body.

    Attributes:
        usage: The last usage the endpoint reported, or None.
        logprobs: Log-probability of every token so far.
        alternatives: The likeliest first tokens, as far as the endpoint told them.
        has_choice: Whether the endpoint has begun an answer.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.logprobs: list[float] = []
        self.alternatives: tuple[tuple[str, float], ...] = ()
        self.has_choice = False
        self._finish_reason: str | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._content_joiner = SurrogateJoiner()
        self._reasoning_joiner = SurrogateJoiner()
        self._splitter = ThinkSplitter()

    @property
    def finished(self) -> bool:
        """Whether the model has said why it stopped."""
        return self._finish_reason is not None

    @property
    def aborted(self) -> bool:
        """Whether the endpoint itself broke the answer off."""
        return self._finish_reason in _ABORTED

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped."""
        return _FINISH_REASONS.get(self._finish_reason or "", "other")

    def feed(self, payload: Mapping[str, object]) -> Delta | None:
        """Take one chunk or one whole body in.

        Returns:
            The piece of text or reasoning it adds, or None when it adds none.
        """
        self.usage = read_usage(payload.get("usage")) or self.usage
        choice = _first_choice(payload.get("choices"))
        if choice is None:
            return None
        self.has_choice = True
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self._finish_reason = reason.lower()
        tokens = _tokens(choice.get("logprobs"))
        if tokens and not self.logprobs:
            self.alternatives = tuple(_told(tokens[0].get("top_logprobs")))
        self.logprobs += [logprob for _, logprob in _told(tokens)]
        piece = choice.get("delta") or choice.get("message")
        if not isinstance(piece, dict):
            return None
        text, reasoning = _text_and_reasoning(piece.get("content"))
        named = piece.get("reasoning_content") or piece.get("reasoning")
        return self._add(text, named if isinstance(named, str) else reasoning)

    def finish(self) -> Delta | None:
        """Settle what was held back; call once, after the last chunk."""
        text, reasoning = self._splitter.feed(self._content_joiner.flush())
        held_text, held_reasoning = self._splitter.flush()
        return self._keep(text + held_text, reasoning + held_reasoning + self._reasoning_joiner.flush())

    def result(self) -> tuple[str, str]:
        """The text and the reasoning of the whole reply."""
        text, reasoning = "".join(self._text), "".join(self._reasoning)
        if not reasoning:
            text, reasoning = split_unopened(text)
        return text, reasoning.strip()

    def _add(self, content: str, named_reasoning: str) -> Delta | None:
        text, reasoning = "", ""
        if content:
            text, reasoning = self._splitter.feed(self._content_joiner.feed(content))
        if named_reasoning:
            reasoning = self._reasoning_joiner.feed(named_reasoning) + reasoning
        return self._keep(text, reasoning)

    def _keep(self, text: str, reasoning: str) -> Delta | None:
        if not text and not reasoning:
            return None
        self._text.append(text)
        self._reasoning.append(reasoning)
        return Delta(text=text, reasoning=reasoning)


def _first_choice(choices: object) -> Mapping[str, object] | None:
    if not isinstance(choices, list):
        return None
    return next((c for c in choices if isinstance(c, dict) and not c.get("index")), None)


def _tokens(reported: object) -> list[Mapping[str, object]]:
    tokens = reported.get("content") if isinstance(reported, dict) else None
    return [token for token in tokens if isinstance(token, dict)] if isinstance(tokens, list) else []


def _told(tokens: object) -> Iterator[tuple[str, float]]:
    """Tokens with their log-probabilities, those that have one."""
    for token in tokens if isinstance(tokens, list) else ():
        logprob = token.get("logprob") if isinstance(token, dict) else None
        if isinstance(logprob, (int, float)):
            text = token.get("token")
            yield whole_text(text) if isinstance(text, str) else "", float(logprob)


def _text_and_reasoning(content: object) -> tuple[str, str]:
    """Content is a string, or a list of typed parts, some of them thoughts."""
    if isinstance(content, str):
        return content, ""
    text, reasoning = "", ""
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            text += part
        elif isinstance(part, dict):
            if isinstance(words := part.get("text"), str):
                text += words
            thought = part.get("thinking")
            reasoning += thought if isinstance(thought, str) else _text_and_reasoning(thought)[0]
    return text, reasoning
