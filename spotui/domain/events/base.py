"""What all events are."""

import time

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """Any event; `at` is seconds since 1970, UTC."""

    at: float = msgspec.field(default_factory=time.time)
