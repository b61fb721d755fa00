"""The lines of the wire: an event as one JSON object a line, and back.

docs/wire.md says what every field means, and what a new version is.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, Union, get_args

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.domain.events import BlockItem, BlockShown, Event
from spotui.lang import Sentence, _, as_english

WIRE_VERSION = 2


def _types(of: type[Event]) -> Iterator[type[Event]]:
    """The types of events below one, those without a type below them, in the order of their definition."""
    for kind in of.__subclasses__():
        if kind.__subclasses__():
            yield from _types(kind)
        else:
            yield kind


EVENT_TYPES = {str(kind.__struct_config__.tag): kind for kind in _types(Event)}
"""Every type of event by its name on the wire."""

if TYPE_CHECKING:
    AnyEvent: TypeAlias = Event
else:
    AnyEvent = Union[tuple(EVENT_TYPES.values())]  # noqa: UP007 - it is put together when this is imported


class WireError(SpotuiError):
    """A line of the wire that this version cannot read."""


class _Head(msgspec.Struct):
    event: str
    version: int = 0


class _BeamMember(msgspec.Struct):
    prompt: str
    score: float
    low: float
    high: float
    rows: int


class _BeamChosen(msgspec.Struct):
    """The block of a beam, as version 1 of the wire has it."""

    at: float
    round: int
    members: tuple[_BeamMember, ...]

    @property
    def block(self) -> BlockShown:
        items = tuple(BlockItem(one.prompt, one.score, one.low, one.high, one.rows) for one in self.members)
        title = "prompts for the next round"
        return BlockShown(at=self.at, round=self.round, name="beam", title=title, items=items)


_encoder = msgspec.json.Encoder(enc_hook=as_english)
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(AnyEvent)
_beam = msgspec.json.Decoder(_BeamChosen)
_head = msgspec.json.Decoder(_Head)


def encode_event(event: Event) -> bytes:
    """One line of the wire, with its line end."""
    said = {}
    for name in _texts(type(event)):  # a loop: this is done for every event of thousands of rounds
        if type(text := getattr(event, name)) is Sentence:
            said[name] = text.coded
    if said:
        event = msgspec.structs.replace(event, messages=said)
    try:
        return _encoder.encode(event) + b"\n"
    except UnicodeEncodeError:  # the path of a folder can hold what is no text
        import json

        text = json.dumps(msgspec.to_builtins(event, enc_hook=as_english), ensure_ascii=False)
        return text.encode("utf-8", "replace") + b"\n"


@cache
def _texts(kind: type[Event]) -> tuple[str, ...]:
    """The fields of a type of event that may hold a sentence."""
    return tuple(one.name for one in msgspec.structs.fields(kind) if str in (one.type, *get_args(one.type)))


def decode_event(line: bytes) -> Event | None:
    """The event a line of the wire holds; None for one of a kind that this version does not know.

    Raises:
        WireError: It is of a newer wire, or it is no event.
    """
    try:
        head = _head.decode(line)
        if head.version > WIRE_VERSION:
            raise WireError(
                _("The run uses version {version} of the wire.", version=head.version),
                _("Update spotui to watch it."),
            )
        if head.event == "beam_chosen":
            return _beam.decode(line).block
        if head.event not in EVENT_TYPES:
            return None
        event = _decoder.decode(line)
        texts = {
            name: Sentence.received(messages, text)
            for name, messages in event.messages.items()
            if isinstance(text := getattr(event, name, None), str)
        }
        return msgspec.structs.replace(event, messages={}, **texts) if texts else event
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(_("Not an event: {error}.", error=error)) from None
