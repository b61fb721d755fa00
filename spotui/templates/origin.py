"""Where an imported template came from: what a template says under `source`, so that it can go back there."""

from typing import Any, Final

import msgspec

from spotui.domain.errors import KeyFault
from spotui.lang import N_, _

_HOW: Final = N_(
    "Write, for example, `source: {format: promptfoo, path: promptfooconfig.yaml}`, or delete it."
)


class Origin(msgspec.Struct, frozen=True):
    """Where a template came from.

    Attributes:
        format: The format of the source, as `spotui import --from` names it.
        path: The source, relative to the template's folder.
        detail: What leads to the prompt inside of the source, e.g. its number.
    """

    format: str
    path: str
    detail: dict[str, Any] = {}


def read_origin(data: object) -> tuple[Origin | None, list[KeyFault]]:
    """Read what a template says under `source`.

    Args:
        data: A mapping with `format` and `path`, as plain data.

    Returns:
        The origin, and what is wrong; it is None when something is.
    """
    if not isinstance(data, dict):
        return None, [KeyFault((), _("`source` should be a mapping."), _(_HOW))]
    faults = [
        KeyFault((key,), _("`{key}` should be a text.", key=key), _(_HOW))
        for key in ("format", "path")
        if not isinstance(data.get(key), str) or not data[key].strip()
    ]
    if faults:
        return None, faults
    detail = {key: value for key, value in data.items() if key not in ("format", "path")}
    return Origin(data["format"].strip(), data["path"].strip(), detail), []
