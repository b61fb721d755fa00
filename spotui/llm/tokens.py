"""Counts tokens as OpenAI's tokenizers do, offline: tiktoken over the vocabularies that litellm ships.

The first count in an encoding loads its vocabulary: some 0.1 s and 40 MB for cl100k_base, twice that for
o200k_base. `ready` does it off the event loop.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

from spotui.domain.errors import check_memory
from spotui.lang import _
from spotui.llm.pricing import VOCABULARIES, litellm_path

if TYPE_CHECKING:
    from pathlib import Path

    from tiktoken import Encoding


DEFAULT_ENCODING: Final = "cl100k_base"

_VOCABULARY_BYTES: Final = 96 * 1024 * 1024
"""Address space that loading the smaller vocabulary takes; tiktoken ends the process when it gets less."""

_CHARACTERS_PER_TOKEN: Final = 4
_NEWER: Final = re.compile(r"(?:ft:)?(?:gpt-4o|gpt-4\.[15]|gpt-[5-9]|gpt-oss|chatgpt-4o|o\d)(?![a-z])")

# Long texts are counted in pieces: a run of a million blanks overflows tiktoken's regular expression, and
# before 0.13 its time grows with the square of an unbroken run. In front of these characters every
# encoding breaks, so cutting there changes no count.
_PIECE: Final = 16_384
_CUT_WITHIN: Final = 2_048
_BREAK: Final = re.compile(r"(?<=[^\W_])[ \n,.;:，。、；：](?=[^\W_])")

_loading: Final = threading.Lock()


class TokenCount(NamedTuple):
    """How many tokens a text has.

    Attributes:
        tokens: The count.
        approximate: Whether characters were counted in place of tokens, for want of a vocabulary.
    """

    tokens: int
    approximate: bool = False


def count_tokens(text: str, encoding: str = DEFAULT_ENCODING) -> TokenCount:
    """Count the tokens of a text; text such as `<|endoftext|>` is text like any other.

    The count is exact, unless a text of more than 16,384 characters goes on for 2,048 without a blank or a
    comma between letters or digits: then it may be a few tokens off.

    Args:
        text: Any text, lone surrogates included.
        encoding: The name of a tiktoken encoding.

    Returns:
        The count; a quarter of the characters, rounded up, when the encoding cannot be loaded offline.
    """
    encoder = _encoder(encoding)
    if encoder is None:
        return TokenCount(-(-len(text) // _CHARACTERS_PER_TOKEN), approximate=True)
    return TokenCount(sum(len(encoder.encode_ordinary(piece)) for piece in _pieces(text)))


def spo_tokens(answers: Sequence[Mapping[str, str]]) -> int:
    """The `tokens` that SPO writes into results.json for a round's answers.

    Args:
        answers: Mappings with `question` and `answer`.
    """
    written = [{"question": item["question"], "answer": item["answer"]} for item in answers]
    return count_tokens(str(written)).tokens


def encoding_for(model_id: str) -> str:
    """The encoding of a model's tokenizer: its own for OpenAI's models, a stand-in for all others."""
    return "o200k_base" if _NEWER.match(model_id.rpartition("/")[2]) else DEFAULT_ENCODING


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        for found in _BREAK.finditer(text, end - _CUT_WITHIN, end):
            end = found.start()
        yield text[start:end]
        start = end
    yield text[start:]


def _encoder(encoding: str) -> "Encoding | None":
    with _loading:
        return _load(encoding)


@lru_cache(maxsize=4)
def _load(encoding: str) -> "Encoding | None":
    from types import FunctionType

    check_memory(_VOCABULARY_BYTES * (1 if encoding == DEFAULT_ENCODING else 2))
    import tiktoken

    folder = litellm_path(VOCABULARIES)
    define = import_module("tiktoken_ext.openai_public").ENCODING_CONSTRUCTORS.get(encoding)
    # Its own loader deletes a file it does not trust, asks the network for another and waits for ever; ours
    # takes its place in this one call. An encoding that is not defined in terms of it is left alone.
    if folder is None or not isinstance(define, FunctionType):
        return None
    if "load_tiktoken_bpe" not in define.__code__.co_names:
        return None
    scope = {**define.__globals__, "load_tiktoken_bpe": _reader(folder)}
    try:
        definition = FunctionType(define.__code__, scope)()
    except (OSError, ValueError):
        return None
    loaded = tiktoken.Encoding(**definition)
    # The tokenizer keeps a copy of its own: this one is 13 MB.
    definition["mergeable_ranks"].clear()
    return loaded


_LINES_BYTES: Final = 16_384


def _reader(folder: "Path") -> Callable[..., dict[bytes, int]]:
    def read(address: str, expected_hash: str | None = None) -> dict[bytes, int]:
        import hashlib
        from binascii import a2b_base64

        # tiktoken names its cached files by the hash of their address.
        name = hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
        digest = hashlib.sha256()
        ranks: dict[bytes, int] = {}
        # A part at a time: the whole file split at once costs 7 MB more at the peak.
        with (folder / name).open("rb") as file:
            while lines := file.readlines(_LINES_BYTES):
                part = b"".join(lines)
                digest.update(part)
                words = part.split()
                ranks.update(zip(map(a2b_base64, words[::2]), map(int, words[1::2]), strict=True))
        if expected_hash is not None and digest.hexdigest() != expected_hash:
            raise ValueError(
                _("{folder} is not the vocabulary of {address}", folder=folder / name, address=address)
            )
        return ranks

    return read
