"""Reads a journal: its lines, a torn end, damage, and the replies it holds."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Literal

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.event_lines import WireError, decode_event
from spotui.domain.messages import Message
from spotui.domain.records import (
    JOURNAL_VERSION,
    AnyLine,
    CallKey,
    CallLine,
    JournalLine,
    LimitsLine,
    Line,
    RoundLine,
)
from spotui.lang import _
from spotui.workspace.files import hint_for, lines_of, reading

FinishReason = Literal["stop", "length", "content_filter", "other"]

MOST_TOKENS: Final = 20_000_000
"""As many tokens as one call can have in its prompt or completion; twice the longest context there is."""

MOST_USD: Final = 10_000.0
"""As much as one call can cost."""


class Request(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One chat completion to ask for, or one embedding.

    Attributes:
        model: The model id as the user wrote it, with its provider prefix if it has one.
        messages: The conversation, oldest first.
        temperature: 0 to 2, or None for the endpoint's default.
        max_tokens: The longest reply wanted, in tokens, or None for the endpoint's default.
        grammar: A GBNF grammar that the reply must follow; only llama.cpp servers take one.
        logprobs: Whether to return the log-probability of every token of the reply.
        alternatives: How many of the likeliest first tokens to return with their log-probabilities.
        watched: Words whose alternatives are returned where the reply has them as a token, in place of those
            of the first token.
        json: Whether the reply must be a JSON object; endpoints that cannot promise that leave it out.
        embed: Whether an embedding of the last message is wanted in place of an answer to it.
        tools: The tools that the model may call, as a JSON list in the form of OpenAI's API.
        response_format: The form of the answer, as a JSON object in the form of OpenAI's API.
        options: More of the body, headers and the query, as `spotui.llm.options` writes them.
        given: For a program in place of a model: prompt, question and row apart, as JSON.
    """

    model: str
    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    grammar: str | None = None
    logprobs: bool = False
    alternatives: int = 0
    watched: tuple[str, ...] = ()
    json: bool = False
    embed: bool = False
    tools: str = ""
    response_format: str = ""
    options: str = ""
    given: str = ""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Tokens of one call.

    Attributes:
        prompt_tokens: Of all messages, cached ones included.
        completion_tokens: Of answer and reasoning.
        reasoning_tokens: The part of the completion that is reasoning.
        cached_tokens: The part of the prompt that the endpoint read from its cache.
        estimated: Whether the endpoint reported no usable counts, so that these are estimates.
        cache_write_tokens: The part of the prompt that the endpoint wrote into its cache.
    """

    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False
    cache_write_tokens: int = 0

    @property
    def total(self) -> int:
        """Prompt and completion tokens together (reasoning tokens are part of the completion)."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def is_sane(self) -> bool:
        """Whether every count is one that a call can have."""
        return (  # spelled out: every call of thousands of rounds is looked at when a run is resumed
            0 <= self.prompt_tokens <= MOST_TOKENS
            and 0 <= self.completion_tokens <= MOST_TOKENS
            and 0 <= self.reasoning_tokens <= MOST_TOKENS
            and 0 <= self.cached_tokens <= MOST_TOKENS
            and 0 <= self.cache_write_tokens <= MOST_TOKENS
        )


class Reply(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One finished completion, or one embedding.

    Attributes:
        text: What the model answered, without its reasoning; free of lone surrogates.
        finish_reason: Why the model stopped; `length` and `content_filter` mean that the reply was cut.
        usage: Tokens of the call.
        seconds: From sending the request to the last byte.
        first_token_seconds: From sending the request to the first piece of text or reasoning.
        reasoning: What a reasoning model thought before it answered; never parsed for tags.
        cost_usd: What the call cost, or None when the price is unknown.
        logprobs: Natural log-probability of every token of the reply, when it was asked for.
        alternatives: The likeliest first tokens, each with its log-probability, when they were asked for.
        watched: The last token for each of the words that the request watches, in the order of the reply,
            with the words that were likely in its place.
        reports_alternatives: Whether the endpoint reported alternatives to tokens of a reply that is watched.
        left_out: What the request asked for and the endpoint does not take, such as `temperature`.
        lowered: Values of the request that are beyond what the endpoint takes, each with what was sent.
        vector: The embedding that was asked for, as `spotui.llm.protocol` packs it.
        rejected: Why the endpoint answers this request never, in a sentence; everything else is empty then.
        refusal: The words in which the model refused to answer, where the endpoint sends them in a field.
        trace: What a program said of how it came to the answer, as JSON.
        tool_calls: The tools that the model calls: a JSON list of objects with `name` and `arguments`, on one
            line, keys in order; arguments that are no JSON stay a text.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage
    seconds: float
    first_token_seconds: float | None = None
    reasoning: str = ""
    cost_usd: float | None = None
    logprobs: tuple[float, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    watched: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    reports_alternatives: bool = False
    left_out: tuple[str, ...] = ()
    lowered: tuple[tuple[str, float], ...] = ()
    vector: str = ""
    refusal: str = ""
    rejected: str = ""
    trace: str = ""
    tool_calls: str = ""

    @property
    def answer(self) -> str:
        """The text, and below it the tools that the model calls."""
        if not self.tool_calls:
            return self.text
        return f"{self.text.rstrip()}\n{self.tool_calls}".lstrip()


_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_request_decoder = msgspec.json.Decoder(Request)
_reply_decoder = msgspec.json.Decoder(Reply)

DAMAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Errors of bytes that are not a line."""

_WRONG_CONTENT = (*DAMAGE, WireError)


class JournalError(SpotuiError):
    """The journal cannot be read or written; nothing in it was changed."""


class JournalChangedError(JournalError):
    """Another program changed the journal while it was open, so that nothing more can be kept in it."""


def read_lines(path: Path, *kinds: type[Line], holding: bytes = b"") -> Iterator[AnyLine]:
    """The lines of these kinds, skipping the others unread: quick even where a journal is long.

    Args:
        path: A journal; a missing one has no lines.
        kinds: RoundLine, StopLine, and others with a separate tag.
        holding: Bytes that a line has to hold.

    Raises:
        JournalError: The file cannot be read, is no journal or a newer one's, or a line of these kinds is
            damaged.
    """
    heads = tuple(b'{"kind":"%s",' % str(kind.__struct_config__.tag).encode() for kind in kinds)
    try:
        with reading(path) as file:
            for raw, line in scan(path, file, heads, holding):
                if line is not None and raw.startswith(heads):
                    yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable(path, error) from None


def scan(
    path: Path, file: BinaryIO, heads: tuple[bytes, ...] = (b"",), holding: bytes = b""
) -> Iterator[tuple[bytes, AnyLine | None]]:
    """Every sound line as it stands, decoded when it is the first or begins with one of `heads`.

    Args:
        path: What to call the file in an error.
        file: At its beginning.
        heads: How the lines begin that are wanted.
        holding: What they hold.

    Raises:
        JournalError: A line other than a torn last one is damaged, or the file is no journal of this version.
    """
    for number, raw in enumerate(lines_of(path, file), 1):
        if not raw.endswith(b"\n"):
            return
        line = None
        if number == 1 or (raw.startswith(heads) and holding in raw):
            try:
                line = _decode(raw)
            except _WRONG_CONTENT as error:
                if _is_torn(raw, file):
                    return
                raise JournalError(
                    _(
                        "Line {number} of {path} is damaged: {error}.",
                        number=number,
                        path=path,
                        error=str(error).rstrip("."),
                    ),
                    _("The other lines are intact: take that one out by hand, or restore a backup."),
                ) from None
            if number == 1:
                _check_version(path, line)
        yield raw, line


def _decode(raw: bytes) -> AnyLine:
    line = _decoder.decode(raw)
    match line:
        case CallLine():  # request and reply are passed over unread; damage in them counts as well
            _request_decoder.decode(line.request)
            _reply_decoder.decode(line.reply)
        case RoundLine():
            for event in line.told:
                decode_event(event)
        case LimitsLine():
            from spotui.settings.table import check_limits
            from spotui.settings.values import InvalidSettingError

            try:
                # Version 1 took a budget of 0 from the wire, for "no further call".
                check_limits({name: value for name, value in line.changes.items() if value != 0})
            except InvalidSettingError as error:
                raise msgspec.ValidationError(str(error)) from None
        case _:
            pass
    return line


def _is_torn(raw: bytes, file: BinaryIO) -> bool:
    """Whether a bad line is what a power cut left at the end, and not somebody's line that we cannot read."""
    try:
        msgspec.json.decode(raw)
    except DAMAGE:
        return next(file, None) is None
    return False


def _check_version(path: Path, first: AnyLine) -> None:
    if not isinstance(first, JournalLine):
        raise JournalError(
            _("{path} does not begin with the line that says its format.", path=path), _("Restore a backup.")
        )
    if first.version > JOURNAL_VERSION:
        raise JournalError(
            _("{path} was written by a newer spotui (format {version}).", path=path, version=first.version),
            _("Update spotui to open it."),
        )


def unreadable(path: Path, error: OSError) -> JournalError:
    """What to tell of a journal that the system does not let us read."""
    return JournalError(
        _("The journal {path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
        hint_for(error, _("Check that it is there, and its permissions.")),
    )


class _Said(msgspec.Struct):
    """The part of a reply that is text."""

    text: str = ""


_said = msgspec.json.Decoder(_Said)


def read_replies(journal: Path, wanted: Iterable[CallKey]) -> dict[CallKey, str]:
    """The texts of some calls, by the key of their first try; a second try counts, unless it is empty.

    Args:
        journal: The journal.
        wanted: Keys of first tries; one that the journal does not hold is left out.

    Raises:
        JournalError: The journal is damaged.
    """
    keys, found = frozenset(wanted), dict[CallKey, str]()
    for line in read_lines(journal, CallLine):
        if not isinstance(line, CallLine):
            continue
        key = CallKey(line.key.round, line.key.purpose, line.key.index, candidate=line.key.candidate)
        if key in keys:
            text = _said.decode(line.reply).text
            if text.strip() or key not in found:
                found[key] = text
    return found


class _Traced(msgspec.Struct):
    """The part of a reply that says how it came about."""

    trace: str = ""


_traced = msgspec.json.Decoder(_Traced)


def read_traces(journal: Path, purpose: str) -> dict[CallKey, list[str]]:
    """The traces of all calls of a purpose, by the key of their first try: one for each turn that has one.

    Args:
        journal: The journal.
        purpose: That of the calls.

    Raises:
        JournalError: The journal is damaged.
    """
    found: dict[CallKey, dict[int, str]] = {}
    # A quotation mark inside of a text is escaped, so this is the field and nothing that a model wrote.
    for line in read_lines(journal, CallLine, holding=b',"trace":"'):
        if isinstance(line, CallLine) and line.key.purpose == purpose:
            key = CallKey(line.key.round, purpose, line.key.index, candidate=line.key.candidate)
            if trace := _traced.decode(line.reply).trace:  # a second try comes later, and counts
                found.setdefault(key, {})[line.key.turn] = trace
    return {key: [text for _turn, text in sorted(turns.items())] for key, turns in found.items()}
