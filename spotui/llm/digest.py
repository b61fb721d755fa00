"""What makes two requests the same."""

import hashlib

import msgspec

from spotui.llm.protocol import Request

_encoder = msgspec.json.Encoder()


def digest_of(request: Request) -> str:
    """A hash of what is asked, equal for equal requests."""
    return hashlib.sha256(_encoder.encode(request)).hexdigest()[:32]
