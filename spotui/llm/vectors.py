"""Embeddings as text: 32-bit floats, little-endian, in base64; a third of what they take as JSON."""

import math
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence


def pack(numbers: Sequence[float]) -> str:
    """A vector as text.

    Raises:
        ValueError: It is empty, or holds what is no finite number.
        OverflowError: A number is too large for 32 bits.
    """
    found = array("f", numbers)
    if not found or not all(map(math.isfinite, found)):
        raise ValueError("no vector of finite numbers")
    if sys.byteorder == "big":
        found.byteswap()
    return b64encode(found.tobytes()).decode("ascii")


def unpack(text: str) -> Sequence[float]:
    """The vector that a text holds.

    Raises:
        ValueError: It is no base64 of 32-bit floats.
    """
    found = array("f")
    found.frombytes(b64decode(text, validate=True))
    if sys.byteorder == "big":
        found.byteswap()
    return found


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """How far two vectors point the same way, -1 to 1; 0 when they cannot be compared."""
    if len(one) != len(other):
        return 0.0
    lengths = math.sqrt(sum(x * x for x in one) * sum(y * y for y in other))
    return sum(x * y for x, y in zip(one, other, strict=True)) / lengths if lengths else 0.0
