"""The bodies of requests for chat completions and embeddings, and the parts of the replies to them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Literal, NamedTuple

import msgspec

from spotui.domain.calls import FinishReason, Reply, Request, Usage
from spotui.domain.lazy_pattern import LazyPattern
from spotui.domain.messages import Attachment, Message, without_system
from spotui.domain.text import whole_text
from spotui.llm import protocol as vectors
from spotui.llm.options import read_options
from spotui.llm.providers.chat.usage import estimate_usage, read_cost, read_usage


class Embedding(msgspec.Struct, frozen=True):
    """What an endpoint said.

    Attributes:
        vector: Packed.
        usage: As the endpoint reported it, or None.
        cost_usd: The cost the endpoint reported, or None.
    """

    vector: str
    usage: Usage | None
    cost_usd: float | None = None

    def reply(
        self,
        request: Request,
        *,
        seconds: float,
        cost_usd: float | None,
        count_tokens: Callable[[str], int] | None,
    ) -> Reply:
        """The reply to a request, with its usage estimated where the endpoint did not report it."""
        usage = self.usage or estimate_usage(request.messages, "", count_tokens=count_tokens)
        return Reply("", "stop", usage, seconds=seconds, cost_usd=cost_usd, vector=self.vector)


def request_body(request: Request, model: str, refused: AbstractSet[str]) -> dict[str, object]:
    """The JSON object of a chat completion.

    Args:
        request: What to ask.
        model: The model id the endpoint knows.
        refused: Parameters the endpoint has refused before; they are left out or renamed.
    """
    body: dict[str, object] = {"model": model, "messages": message_bodies(request.messages, refused)}
    if "stream" not in refused:
        body["stream"] = True
        if "stream_options" not in refused:
            body["stream_options"] = {"include_usage": True}
    if request.temperature is not None and "temperature" not in refused:
        body["temperature"] = request.temperature
    limit = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
    if request.max_tokens is not None and limit not in refused:
        body[limit] = request.max_tokens
    if request.grammar is not None and "grammar" not in refused:
        body["grammar"] = request.grammar
    if (request.logprobs or request.alternatives) and "logprobs" not in refused:
        body["logprobs"] = True
        if request.alternatives and "top_logprobs" not in refused:
            body["top_logprobs"] = request.alternatives
    if (form := response_format(request)) and "response_format" not in refused:
        body["response_format"] = form
    if request.tools:
        body["tools"] = msgspec.json.decode(request.tools)
    return body | read_options(request.options).body


def response_format(request: Request) -> dict[str, object] | None:
    """The form that a request wants its answer in, or None for any."""
    if request.response_format:
        return msgspec.json.decode(request.response_format, type=dict[str, object])
    return {"type": "json_object"} if request.json else None


def message_bodies(messages: Sequence[Message], refused: AbstractSet[str]) -> list[dict[str, object]]:
    """The messages of a chat completion.

    Args:
        messages: What is said.
        refused: With `system` among it, no message is the system's: its text goes before the user's first.
    """
    return [_message(one) for one in (without_system(messages) if "system" in refused else messages)]


def _message(message: Message) -> dict[str, object]:
    body: dict[str, object] = {"role": message.role, "content": whole_text(message.content)}
    if message.files:
        said = [{"type": "text", "text": body["content"]}] if message.content else []
        body["content"] = [*map(_file, message.files), *said]
    if message.tool_calls:
        body["tool_calls"] = msgspec.json.decode(message.tool_calls)
    if message.tool_call_id:
        body["tool_call_id"] = message.tool_call_id
    return body


def _file(attachment: Attachment) -> dict[str, object]:
    if attachment.is_image:
        return {"type": "image_url", "image_url": {"url": attachment.url}}
    return {"type": "file", "file": {"filename": attachment.name, "file_data": attachment.url}}


def embedded_text(request: Request) -> str:
    """The text whose embedding a request asks for."""
    return whole_text(request.messages[-1].content)


def embedding_body(request: Request, model: str) -> dict[str, object]:
    """The JSON object that asks for an embedding.

    Args:
        request: What to embed.
        model: The model id the endpoint knows.
    """
    return {"model": model, "input": embedded_text(request)}


def read_embedding(payload: object) -> Embedding | None:
    """The embedding in a reply, as numbers or in base64; None when there is none."""
    if not isinstance(payload, Mapping):
        return None
    rows = payload.get("data")
    first = rows[0] if isinstance(rows, list) and rows else None
    told = first.get("embedding") if isinstance(first, Mapping) else None
    try:
        if isinstance(told, str):
            vector = vectors.pack(vectors.unpack(told))
        elif isinstance(told, list):
            vector = vectors.pack(told)
        else:
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return Embedding(vector, read_usage(payload.get("usage")), read_cost(payload.get("usage")))


_REASONING_FIELDS: Final = (
    *("reasoning_content", "reasoning", "reasoning_details", "reasoning_text"),
    *("thinking", "thinking_content", "thinking_blocks"),
)
_ASIDE_FIELDS: Final = ("thought", "extra_content", "channel", "type", "role")
"""Fields of a delta that may say that its content is no answer."""
_ANY_OTHER: Final = frozenset({*_REASONING_FIELDS, *_ASIDE_FIELDS, "refusal"})
_REASONING_TYPES: Final = ("reason", "think", "thought", "analysis")
_ASIDE_CHANNELS: Final = (*_REASONING_TYPES, "commentary")
_WORDS: Final = ("text", "content", "thinking", "reasoning", "reasoning_content", "summary", "parts", "value")
_MOST_NATS: Final = 1e6
_DEEPEST: Final = 8

Ending = FinishReason | Literal["aborted"]

# Protocol buffers and Python enums leak their names: FINISH_REASON_SAFETY, FinishReason.SAFETY.
_ENUM: Final = LazyPattern(r"^(?:\w+\.|finish_reason_)")
_SAID_NOTHING: Final = frozenset(
    {"", "null", "none", "undefined", "unspecified", "in_progress", "processing", "running", "generating"}
)

# Gemini, Anthropic, Bedrock, Azure, Cohere and Zhipu each have their own words; a word that no list holds yet
# is understood by its stem.
_FILTERED: Final = LazyPattern(
    r"filter|safety|recit|block|prohibit|sensitiv|moderat|guardrail|refus|toxic|polic|censor|pii|copyright"
    r"|violat|inspect|inappropriate|armor|harm|^language$|risk|illegal|unsafe|flag|danger|nsfw|\bhate|violen"
    r"|sexual|self_harm|jailbreak|forbid|banned|restrict|disallow|^rai\b|敏感|违规|违禁|不安全|审核"
)
_CUT: Final = LazyPattern(
    r"length|max_?\w*tokens?|token_?limit|(?:error|output|context|response)_limit|context_window|truncat"
    r"|too_long|exceeded|out_of_tokens|^limit|cut_?off|incomplete|budget"
)
_ABORTED: Final = LazyPattern(
    r"error|abort|cancel|insufficient|time_?out|overload|interrupt|fail|unavailable|disconnect|closed|preempt"
    r"|kill|load_?shed|evict|crash|(?:rate|time)_?limit"
)
_STOPPED: Final = LazyPattern(r"stop|eos|eot|end|complete|finish|done|normal|succe(?:ss|eded)")
_PLAIN: Final = frozenset({"stop", "other"})


class Piece(NamedTuple):
    """The text in one chunk or message."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""


_NOTHING: Final = Piece()


def is_plain(ending: Ending | None) -> bool:
    """Whether a reason says nothing against the answer, so that one which does outweighs it."""
    return ending is None or ending in _PLAIN


def told_ending(payload: Mapping[str, object], choice: Mapping[str, object]) -> Ending | None:
    """Why the model stopped, wherever a chunk says so; None when it does not say so yet.

    Args:
        payload: The chunk.
        choice: The choice in it that is read.
    """
    written = choice.get("finish_reason") or choice.get("finishReason")
    if not written:
        if _is_filtered(payload, choice):
            return "content_filter"
        if "finish_reason" in choice and choice.keys() <= _OF_A_CHOICE:
            return None
        piece = choice.get("delta") or choice.get("message")
        inner = piece.get("finish_reason") if isinstance(piece, dict) else None
        written = inner or choice.get("finish_details") or choice.get("stop_reason")
    ending = read_ending(written)
    if is_plain(ending) and ending is not None:
        if _is_filtered(payload, choice):
            return "content_filter"
        # A router's own word may hide the provider's.
        native = read_ending(choice.get("native_finish_reason"))
        return ending if is_plain(native) else native
    return ending


_OF_A_CHOICE: Final = frozenset({"index", "delta", "finish_reason", "logprobs"})


def _is_filtered(payload: Mapping[str, object], choice: Mapping[str, object]) -> bool:
    """Whether a filter has taken a part of the answer: as Azure and MiniMax say it beside the reason."""
    if payload.get("output_sensitive") is True:
        return True
    results = choice.get("content_filter_results")
    found = results.values() if isinstance(results, dict) else ()
    return any(isinstance(one, dict) and one.get("filtered") is True for one in found)


def read_ending(written: object) -> Ending | None:
    """The meaning of a `finish_reason`; None when it gives no reason yet."""
    if isinstance(written, dict):  # SGLang, and OpenAI's `finish_details`
        written = written.get("type")
    if not isinstance(written, str):
        return None
    reason = re.sub(r"[\s-]+", "_", _ENUM.sub("", written.strip().lower()))
    if reason in _SAID_NOTHING:
        return None
    if _FILTERED.search(reason):
        return "content_filter"
    if _CUT.search(reason):
        return "length"
    if _ABORTED.search(reason):
        return "aborted"
    return "stop" if _STOPPED.match(reason) else "other"


def read_number(index: object) -> int:
    """A choice's number; some servers write it as text, or leave it out."""
    try:
        return int(index) if isinstance(index, (int, str)) else 0
    except ValueError:
        return 0


def read_tokens(reported: object) -> list[Mapping[str, object]]:
    """The tokens of a `logprobs` object."""
    tokens = reported.get("content") if isinstance(reported, dict) else None
    return [token for token in tokens if isinstance(token, dict)] if isinstance(tokens, list) else []


def read_logprobs(tokens: object) -> Iterator[tuple[str, float]]:
    """Tokens with their log-probabilities, those that have one."""
    for token in tokens if isinstance(tokens, list) else ():
        logprob = token.get("logprob") if isinstance(token, dict) else None
        # Neither infinities nor numbers beyond all floats can be kept.
        if isinstance(logprob, (int, float)) and abs(logprob) < _MOST_NATS:
            text = token.get("token")
            yield whole_text(text) if isinstance(text, str) else "", float(logprob)


def read_piece(piece: object) -> Piece:
    """The text, the reasoning and the refusal in a delta or a message."""
    if not isinstance(piece, dict):
        return Piece(piece) if isinstance(piece, str) else _NOTHING
    content = piece.get("content")
    read = Piece(content) if isinstance(content, str) else _read_content(content)
    if _ANY_OTHER.isdisjoint(piece):
        return read
    text, reasoning, refusal = read
    if _is_aside(piece):
        text, reasoning = "", text + reasoning
    named = (_words(piece.get(name)) for name in _REASONING_FIELDS)
    reasoning = next(filter(None, named), reasoning)
    told = piece.get("refusal")
    return Piece(text, reasoning, told if isinstance(told, str) else refusal)


def _is_aside(piece: Mapping[str, object]) -> bool:
    """Whether a delta says of its content that it is no part of the answer."""
    role, kind, channel = (str(piece.get(name) or "").lower() for name in ("role", "type", "channel"))
    if any(stem in text for stem in _REASONING_TYPES for text in (role, kind)):
        return True
    extra = piece.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    is_googles = isinstance(google, dict) and google.get("thought") is True
    return is_googles or piece.get("thought") is True or any(stem in channel for stem in _ASIDE_CHANNELS)


def _read_content(content: object) -> Piece:
    """Content is a string, or parts of several types, some of them thoughts."""
    if isinstance(content, str):
        return Piece(content)
    if content is None or isinstance(content, bool):
        return _NOTHING
    if isinstance(content, (int, float)):
        return Piece(str(content))
    if isinstance(content, dict) and _OF_A_PART.isdisjoint(content):
        # Some servers send an answer in JSON as what it means.
        return Piece(json.dumps(content, ensure_ascii=False) if content else "")
    parts = content if isinstance(content, list) else [content]
    texts, thoughts, refusals = [], [], []
    for part in parts:
        if not isinstance(part, dict):
            texts.append(part if isinstance(part, str) else "")
        elif _is_thought(part):
            thoughts.append(_words(part))
        elif part.get("type") == "refusal":
            refusals.append(_words(part.get("refusal")))
        else:
            texts.append(_words(part.get("text") or part.get("content")))
    return Piece("".join(texts), "".join(thoughts), "".join(refusals))


_OF_A_PART: Final = frozenset({"type", "thought", *_WORDS})


def _is_thought(part: Mapping[str, object]) -> bool:
    kind = str(part.get("type") or "").lower()
    return (
        any(stem in kind for stem in _REASONING_TYPES)
        or part.get("thought") is True
        or ("thinking" in part and "text" not in part)
    )


def _words(value: object, depth: int = 0) -> str:
    """All text in a string, in parts, or in the fields in which parts have it."""
    if isinstance(value, str):
        return value
    if depth == _DEEPEST:
        return ""
    if isinstance(value, list):
        return "".join(_words(one, depth + 1) for one in value)
    if isinstance(value, dict):
        return next((words for name in _WORDS if (words := _words(value.get(name), depth + 1))), "")
    return ""
