"""Events as lines of the wire."""

from typing import get_args

import msgspec

from spotui.errors import SpotuiError
from spotui.events.base import Event
from spotui.events.kinds import AnyEvent

WIRE_VERSION = 1


class WireError(SpotuiError):
    """A line of the wire that this version cannot read."""


class _Head(msgspec.Struct):
    event: str
    version: int = 0


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_head = msgspec.json.Decoder(_Head)
_known = {kind.__struct_config__.tag for kind in get_args(AnyEvent)}


def encode_event(event: Event) -> bytes:
    """One line of the wire, with its line end."""
    try:
        return _encoder.encode(event) + b"\n"
    except UnicodeEncodeError:  # the path of a folder can hold what is no text
        import json

        text = json.dumps(msgspec.to_builtins(event), ensure_ascii=False)
        return text.encode("utf-8", "replace") + b"\n"


def decode_event(line: bytes) -> AnyEvent | None:
    """The event a line of the wire holds; None for one of a kind that this version does not know.

    Raises:
        WireError: It is of a newer wire, or it is no event.
    """
    try:
        head = _head.decode(line)
        if head.version > WIRE_VERSION:
            raise WireError(
                f"The run speaks version {head.version} of the wire.", "Update spotui to watch it."
            )
        return _decoder.decode(line) if head.event in _known else None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(f"Not an event: {error}.") from None
