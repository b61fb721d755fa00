"""A reply put together from the chunks of a stream, or from one whole body; without the network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from spotui.domain.calls import FinishReason, Reply, Request, Usage
from spotui.domain.text import SurrogateJoiner
from spotui.llm.protocol import Delta
from spotui.llm.providers.chat.bodies import (
    Ending,
    Piece,
    is_plain,
    read_logprobs,
    read_number,
    read_piece,
    read_tokens,
    told_ending,
)
from spotui.llm.providers.chat.leftovers import without_leftovers
from spotui.llm.providers.chat.reasoning import ReasoningSplitter, split_reasoning
from spotui.llm.providers.chat.strand import Strand
from spotui.llm.providers.chat.tool_calls import ToolCall, read_calls, written_calls
from spotui.llm.providers.chat.usage import full_usage, later_usage, read_cost, read_usage

_LOGPROB_SIZE: Final = 8
_MOST_ALTERNATIVES: Final = 100
_MOST_WORDS: Final = 200
_LONGEST_WORD: Final = 5
_EDGES: Final = " \t\r\n()[]{}<>*_`\"'.,:;!?#=/\\\u0120\u2581"
"""What a token may have around a word, the signs of some tokenizers for a blank among them."""


class ReplyAssembler:
    """Puts one reply together.

    Attributes:
        usage: The last usage the endpoint reported, or None.
        cost_usd: The cost the endpoint reported, or None.
        logprobs: Log-probability of every token so far.
        alternatives: The likeliest first tokens, as far as the endpoint reported them.
        has_choice: Whether the endpoint has begun an answer.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.cost_usd: float | None = None
        self.has_choice = False
        self._index: int | None = None
        self._begin()

    def _begin(self) -> None:
        self.logprobs: list[float] = []
        self.alternatives: tuple[tuple[str, float], ...] = ()
        self._words: dict[str, tuple[tuple[str, float], ...]] = {}
        self._ending: Ending | None = None
        self._went_on = False
        self._has_late_usage = False
        self._from_deltas = False
        self._content, self._reasoning, self._refusal = Strand(), Strand(), Strand()
        self._content_joiner, self._reasoning_joiner = SurrogateJoiner(), SurrogateJoiner()
        self._splitter = ReasoningSplitter()
        self._calls: dict[int, ToolCall] = {}

    @property
    def finished(self) -> bool:
        """Whether the model has said why it stopped, and nothing has come since to disprove it."""
        return self._ending is not None and not self._went_on

    @property
    def is_whole(self) -> bool:
        """Whether a body that ends here holds a whole reply: with a reason, or with its usage at the end."""
        return self._ending is not None or self._has_late_usage

    @property
    def aborted(self) -> bool:
        """Whether the endpoint itself broke the answer off."""
        return self._ending == "aborted"

    @property
    def finish_reason(self) -> FinishReason:
        """Why the model stopped."""
        return "other" if self._ending is None or self._ending == "aborted" else self._ending

    @property
    def refusal(self) -> str:
        """The words in which the model refused to answer, where the endpoint sends them in a field."""
        return self._refusal.text().strip()

    @property
    def size(self) -> int:
        """Characters kept so far."""
        return (
            self._content.size
            + self._reasoning.size
            + self._refusal.size
            + sum(one.size for one in self._calls.values())
            + _LOGPROB_SIZE * len(self.logprobs)
        )

    def feed(self, payload: Mapping[str, object]) -> Delta | None:
        """Take one chunk or one whole body in.

        Returns:
            The piece of text or reasoning it adds, or None when it adds none.
        """
        # Thousands of chunks hold only a piece of text, and others wait while a long reply is read.
        if "choices" not in payload:
            payload = _unwrapped(payload)
        choice = self._pick(payload.get("choices"))
        if choice is None:
            self._take_usage(payload, {})
            self._take_block(payload)
            return None
        if payload.get("usage") or payload.get("x_groq") or choice.get("usage"):
            self._take_usage(payload, choice)
        self.has_choice = True
        if reported := choice.get("logprobs"):
            self._take_logprobs(reported)
        piece = self._new_in(choice)
        called = self._take_calls(choice)
        self._take_ending(
            told_ending(payload, choice), has_more=bool(piece.text or piece.reasoning or called)
        )
        if piece.refusal:
            self._refusal.add(piece.refusal)
        return self._add(piece)

    def finish(self) -> Delta | None:
        """Settle what was held back; call once, after the last chunk."""
        text, reasoning = self._splitter.feed(self._content_joiner.flush())
        held_text, held_reasoning = self._splitter.flush()
        text, reasoning = text + held_text, reasoning + held_reasoning + self._reasoning_joiner.flush()
        return Delta(text=text, reasoning=reasoning) if text or reasoning else None

    def result(self) -> tuple[str, str]:
        """The text and the reasoning of the whole reply."""
        named, content = self._reasoning.text(), self._content.text()
        # Some servers send reasoning in its field, and all that the model wrote beside it.
        is_alone = not named or content.lstrip().startswith(named.strip())
        text, marked = split_reasoning(content, alone=is_alone)
        if marked.strip() == named.strip():
            marked = ""
        return text, (named + marked).strip()

    def reply(
        self,
        request: Request,
        *,
        seconds: float,
        first_token_seconds: float | None,
        usage: Usage | None,
        cost_usd: float | None,
        count_tokens: Callable[[str], int] | None,
    ) -> Reply:
        """The whole reply.

        Args:
            request: The request that it answers.
            seconds: Time that it took.
            first_token_seconds: Time until its first piece of text or reasoning.
            usage: As reported, or None to estimate it.
            cost_usd: As reported, or None.
            count_tokens: For the estimate; see `estimate_usage`.
        """
        text, reasoning = self.result()
        text = without_leftovers(text, request.messages, has_reasoned=bool(reasoning))
        is_watched = bool(request.watched)
        return Reply(
            text=text,
            reasoning=reasoning,
            finish_reason=self.finish_reason,
            usage=full_usage(usage, request.messages, text, reasoning, count_tokens=count_tokens),
            seconds=seconds,
            first_token_seconds=first_token_seconds,
            cost_usd=cost_usd,
            logprobs=() if is_watched else tuple(self.logprobs),
            alternatives=() if is_watched else self.alternatives,
            watched=self._watched(frozenset(request.watched)),
            reports_alternatives=is_watched and bool(self.alternatives or self._words),
            refusal=self.refusal,
            tool_calls=written_calls(self._calls.values()),
        )

    def _pick(self, choices: object) -> Mapping[str, object] | None:
        """The choice that this reply follows: the first, whatever its number, unless number 0 comes."""
        if isinstance(choices, dict):
            choices = [choices] if not choices.keys().isdisjoint(_OF_A_CHOICE) else [*choices.values()]
        if not isinstance(choices, list):
            return None
        only = choices[0] if len(choices) == 1 else None
        if isinstance(only, dict) and self._index is not None and only.get("index") == self._index:
            return only
        numbered = [(read_number(one.get("index")), one) for one in choices if isinstance(one, dict)]
        if not numbered:
            return None
        number = min(other for other, _ in numbered)
        if self._index is None:
            self._index = number
        elif number == 0 != self._index:
            self._index = 0
            self._begin()
        return next((one for other, one in numbered if other == self._index), None)

    def _take_usage(self, payload: Mapping[str, object], choice: Mapping[str, object]) -> None:
        behind = payload.get("x_groq")
        for reported in (
            payload.get("usage"),
            choice.get("usage"),  # Moonshot
            behind.get("usage") if isinstance(behind, dict) else None,
        ):
            if reported is None:
                continue
            usage = read_usage(reported)
            if usage is not None:
                self.usage = later_usage(self.usage, usage)
                self._has_late_usage = self.has_choice
            cost = read_cost(reported)
            self.cost_usd = self.cost_usd if cost is None else cost

    def _take_block(self, payload: Mapping[str, object]) -> None:
        """Gemini answers a prompt that it blocks without any choice."""
        feedback = payload.get("prompt_feedback") or payload.get("promptFeedback")
        if isinstance(feedback, dict) and (feedback.get("block_reason") or feedback.get("blockReason")):
            self.has_choice = True
            self._ending = "content_filter"

    def _watched(self, words: frozenset[str]) -> tuple[tuple[str, tuple[tuple[str, float], ...]], ...]:
        """The last token for each of some words, with the words that were likely in its place."""
        found = {word: likely for word, likely in self._words.items() if word in words}
        return tuple(
            (word, tuple(one for one in likely if one[0] in words)) for word, likely in found.items()
        )

    def _take_words(self, tokens: Sequence[Mapping[str, object]]) -> None:
        """Keep the alternatives of short words, the last of each: which are wanted is not known yet."""
        for token in tokens:
            text = token.get("token")
            word = _bare(text) if isinstance(text, str) else ""
            if word and len(word) <= _LONGEST_WORD and (likely := token.get("top_logprobs")):
                self._words.pop(word, None)
                self._words[word] = tuple((_bare(other), share) for other, share in read_logprobs(likely))
                if len(self._words) > _MOST_WORDS:
                    self._words.pop(next(iter(self._words)))

    def _take_logprobs(self, reported: object) -> None:
        tokens = read_tokens(reported)
        self._take_words(tokens)
        if tokens and not self.logprobs:
            self.alternatives = tuple(read_logprobs(tokens[0].get("top_logprobs")))[:_MOST_ALTERNATIVES]
        self.logprobs += [logprob for _, logprob in read_logprobs(tokens)]

    def _take_ending(self, ending: Ending | None, *, has_more: bool) -> None:
        """Note why the model stopped; some servers give a reason with every chunk, long before the end.

        Others send a "stop" behind what was cut or filtered, which takes nothing of that back.
        """
        if has_more:
            self._went_on = self._went_on or self._ending is not None
            self._has_late_usage = False
        if ending is not None:
            if has_more or is_plain(self._ending) or not is_plain(ending):
                self._ending = ending
        elif has_more:
            self._ending = None

    def _take_calls(self, choice: Mapping[str, object]) -> bool:
        """Take the tools that a chunk calls; a whole message behind deltas repeats what they brought."""
        found = read_calls(choice.get("delta"))
        if not found and not self._calls:
            found = read_calls(choice.get("message"))
        for number, call in found:
            before = self._calls.get(number)
            self._calls[number] = call if before is None else before + call
        return bool(found)

    def _new_in(self, choice: Mapping[str, object]) -> Piece:
        """The text of a chunk that has not been sent before.

        A `message` is whole, or so far: beside deltas, or behind them, it repeats what they brought.
        """
        piece = read_piece(choice.get("delta"))
        if piece.text:
            self._from_deltas = True
            return piece
        if self._from_deltas or any(piece):
            return piece
        message = read_piece(choice.get("message"))
        if not any(message):
            return read_piece({"content": choice.get("text") or choice.get("content")})
        return Piece(
            self._content.new_in(message.text),
            self._reasoning.new_in(message.reasoning),
            self._refusal.new_in(message.refusal),
        )

    def _add(self, piece: Piece) -> Delta | None:
        text, reasoning = "", ""
        if piece.text:
            new = self._content.add(piece.text)
            text, reasoning = self._splitter.feed(self._content_joiner.feed(new))
        if piece.reasoning:
            new = self._reasoning.add(piece.reasoning)
            reasoning = self._reasoning_joiner.feed(new) + reasoning
        return Delta(text=text, reasoning=reasoning) if text or reasoning else None


def _bare(token: str) -> str:
    return token.strip(_EDGES)


_OF_A_CHOICE: Final = frozenset({"delta", "message", "text", "content", "finish_reason"})
_WRAPPERS: Final = ("data", "result", "output", "response")


def _unwrapped(payload: Mapping[str, object]) -> Mapping[str, object]:
    """The completion that a relay has put into an envelope."""
    for name in _WRAPPERS:
        inner = payload.get(name)
        if isinstance(inner, dict) and "choices" in inner:
            return inner
    return payload
