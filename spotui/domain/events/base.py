"""What all events are."""

import time

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True, gc=False):
    """Any event; `at` is seconds since 1970, UTC.

    It refers to nothing that refers back to it, so the collector of cycles need not look at thousands.
    """

    at: float = msgspec.field(default_factory=time.time)
