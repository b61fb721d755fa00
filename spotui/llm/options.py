"""What requests of a role carry besides the usual: fields of the body, headers, and a query."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from spotui.domain.secret import Secret
from spotui.settings.table import RoleSettings, RunSettings
from spotui.settings.variables import filled, variables_in


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


def variables_for(settings: RunSettings, model: str) -> frozenset[str]:
    """The environment variables that headers and query of requests to a model take values from."""
    roles = settings.roles
    users = [one for one in (roles.optimizer, roles.evaluator, roles.executor) if one.model == model]
    users += [roles.evaluator] * (model in settings.judges)
    return frozenset[str]().union(*(variables_in(one.headers) | variables_in(one.query) for one in users))


def with_values(text: str, values: Mapping[str, Secret]) -> str:
    """The options that a request carries, with the values of variables in headers and query."""
    if not values or "${" not in text:
        return text
    options = _decoder.decode(text)
    return _encoder.encode(
        Options(
            body=options.body,
            headers={name: filled(value, values) for name, value in options.headers.items()},
            query={name: filled(value, values) for name, value in options.query.items()},
        )
    ).decode()


@lru_cache(maxsize=8)
def read_options(text: str) -> Options:
    """The options that a request carries."""
    return _decoder.decode(text) if text else _NONE
