"""What requests of a role carry besides the usual: fields of the body, headers, and a query."""

from functools import lru_cache
from typing import Any, Final

import msgspec

from spotui.settings.table import RoleSettings


class Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is added to a request.

    Attributes:
        body: Fields of the JSON body; they beat the ones that spotui would send.
        headers: By name.
        query: By name.
    """

    body: dict[str, Any] = {}
    headers: dict[str, str] = {}
    query: dict[str, str] = {}


_encoder: Final = msgspec.json.Encoder(order="sorted")
_decoder: Final = msgspec.json.Decoder(Options)
_NONE: Final = Options()


def options_of(settings: RoleSettings) -> str:
    """The options of a role as a request keeps them; empty where it has none."""
    found = {
        name: msgspec.json.decode(text)
        for name in Options.__struct_fields__
        if (text := getattr(settings, name)) is not None
    }
    return _encoder.encode(found).decode() if found else ""


@lru_cache(maxsize=8)
def read_options(text: str) -> Options:
    """The options that a request carries."""
    return _decoder.decode(text) if text else _NONE
