"""A language model of half a megabyte, written by hand, that runs in the real runtime.

Its attention adds nothing, so what comes next depends on the last token alone, by a table of logits that a
test can read: after the mark of a reply it says "one two three", after the other mark it says "on" for ever.
Every text can be forced, as each byte is a token.
"""

import math
import struct
from functools import cache
from itertools import pairwise
from pathlib import Path

WORDS = ("one", " two", " three", " on")
REPLY = "one two three"
FOR_EVER = "for ever"
"""A conversation whose last message holds these words gets a reply without an end."""

_CONTEXT = 32_768
# A tokenizer of this kind joins two pieces only where the result is a token: each beginning of a word is one.
_PIECES = sorted(
    {word[:end] for word in WORDS for end in range(2, len(word) + 1)} | {"é"}, key=lambda p: (len(p), p)
)
_UNKNOWN, _BEGIN, _END, _REPLY_MARK, _LOOP_MARK = range(5)
_FIRST_BYTE = 5
_FIRST_WORD = _FIRST_BYTE + 256
_TOKENS = ["<unk>", "<s>", "</s>", "<reply>", "<loop>", *(f"<0x{byte:02X}>" for byte in range(256)), *_PIECES]
# The runtime's kinds of tokens: 1 is a text, 2 unknown, 3 a mark, 6 a byte.
_KINDS = [2, 3, 3, 3, 3, *[6] * 256, *[1] * len(_PIECES)]
_SCORES = [0.0] * _FIRST_WORD + [float(len(piece)) for piece in _PIECES]
_TEMPLATE = (
    "{% for message in messages %}<s>{{ message['content'] }}{% endfor %}"
    f"{{% if '{FOR_EVER}' in messages[-1]['content'] %}}<loop>{{% else %}}<reply>{{% endif %}}"
)

# Blocks of 32 suit every matrix product of the runtime.
_WIDTH = 32 * math.ceil(len(_TOKENS) / 32)
_HEAD = 8
_FEED = 32


def token_of(piece: str) -> int:
    """The number of a word, or of one character that is one byte."""
    return _FIRST_WORD + _PIECES.index(piece) if piece in _PIECES else _FIRST_BYTE + piece.encode()[0]


def logit(before: int, after: int) -> float:
    """How much the model likes a token after another."""
    liked = {
        _REPLY_MARK: token_of("one"),
        token_of("one"): token_of(" two"),
        token_of(" two"): token_of(" three"),
        token_of(" three"): _END,
        _LOOP_MARK: token_of(" on"),
        token_of(" on"): token_of(" on"),
    }
    if liked.get(before, _END) == after:
        return 12.0
    # Some order among the rest, so that no two answers are alike.
    return ((7 * before + 13 * after) % 31) / 10


def expected_logprobs(pieces: list[str]) -> list[float]:
    """What the table says of a reply of these tokens."""
    numbers = [_REPLY_MARK, *map(token_of, pieces)]
    return [_logprob(before, after) for before, after in pairwise(numbers)]


def _logprob(before: int, after: int) -> float:
    logits = [logit(before, other) for other in range(len(_TOKENS))]
    return logit(before, after) - math.log(sum(map(math.exp, logits)))


def write_tiny_model(path: Path) -> Path:
    """Write the model as a GGUF file."""
    path.write_bytes(_tiny_model())
    return path


@cache
def _tiny_model() -> bytes:
    count = len(_TOKENS)
    # A token's state is one-hot; normalized, its one becomes the root of the width.
    scale = 1 / math.sqrt(_WIDTH)
    embedding = [[float(row == column) for column in range(_WIDTH)] for row in range(count)]
    output = [
        [logit(column, row) * scale if column < count else 0.0 for column in range(_WIDTH)]
        for row in range(count)
    ]
    tensors = {
        "token_embd.weight": embedding,
        "output_norm.weight": _ones(),
        "output.weight": output,
        "blk.0.attn_norm.weight": _ones(),
        "blk.0.attn_q.weight": _zeros(_HEAD, _WIDTH),
        "blk.0.attn_k.weight": _zeros(_HEAD, _WIDTH),
        "blk.0.attn_v.weight": _zeros(_HEAD, _WIDTH),
        "blk.0.attn_output.weight": _zeros(_WIDTH, _HEAD),
        "blk.0.ffn_norm.weight": _ones(),
        "blk.0.ffn_gate.weight": _zeros(_FEED, _WIDTH),
        "blk.0.ffn_up.weight": _zeros(_FEED, _WIDTH),
        "blk.0.ffn_down.weight": _zeros(_WIDTH, _FEED),
    }
    return _gguf(tensors)


def _ones() -> list[list[float]]:
    return [[1.0] * _WIDTH]


def _zeros(rows: int, columns: int) -> list[list[float]]:
    return [[0.0] * columns] * rows


def _gguf(tensors: dict[str, list[list[float]]]) -> bytes:
    settings = [
        _setting("general.architecture", _text("llama")),
        _setting("llama.block_count", _number(1)),
        _setting("llama.context_length", _number(_CONTEXT)),
        _setting("llama.embedding_length", _number(_WIDTH)),
        _setting("llama.feed_forward_length", _number(_FEED)),
        _setting("llama.attention.head_count", _number(1)),
        _setting("llama.attention.key_length", _number(_HEAD)),
        _setting("llama.attention.value_length", _number(_HEAD)),
        _setting("llama.rope.dimension_count", _number(_HEAD)),
        _setting("llama.attention.layer_norm_rms_epsilon", (6, struct.pack("<f", 1e-9))),
        _setting("tokenizer.ggml.model", _text("llama")),
        _setting("tokenizer.ggml.tokens", _array([_text(token) for token in _spm(_TOKENS)])),
        _setting("tokenizer.ggml.scores", _array([(6, struct.pack("<f", score)) for score in _SCORES])),
        _setting("tokenizer.ggml.token_type", _array([(5, struct.pack("<i", kind)) for kind in _KINDS])),
        _setting("tokenizer.ggml.unknown_token_id", _number(_UNKNOWN)),
        _setting("tokenizer.ggml.bos_token_id", _number(_BEGIN)),
        _setting("tokenizer.ggml.eos_token_id", _number(_END)),
        _setting("tokenizer.ggml.add_bos_token", (7, b"\0")),
        _setting("tokenizer.ggml.add_space_prefix", (7, b"\0")),
        _setting("tokenizer.chat_template", _text(_TEMPLATE)),
    ]
    infos, bodies, offset = [], [], 0
    for name, rows in tensors.items():
        body = b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)
        body += b"\0" * (-len(body) % 32)
        shape = [len(rows[0])] if len(rows) == 1 else [len(rows[0]), len(rows)]
        sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        infos.append(_string(name) + sizes + struct.pack("<IQ", 0, offset))
        bodies.append(body)
        offset += len(body)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(settings)) + b"".join(settings + infos)
    return head + b"\0" * (-len(head) % 32) + b"".join(bodies)


_Value = tuple[int, bytes]
"""The format's number of a type, and the value."""


def _setting(name: str, value: _Value) -> bytes:
    kind, body = value
    return _string(name) + struct.pack("<I", kind) + body


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _text(text: str) -> _Value:
    return 8, _string(text)


def _number(number: int) -> _Value:
    return 4, struct.pack("<I", number)


def _array(values: list[_Value]) -> _Value:
    return 9, struct.pack("<IQ", values[0][0], len(values)) + b"".join(body for _, body in values)


def _spm(tokens: list[str]) -> list[str]:
    """As this kind of vocabulary writes a space."""
    return [token.replace(" ", "\u2581") for token in tokens]
