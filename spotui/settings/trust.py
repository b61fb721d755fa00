"""The Python files of custom metrics that the user has trusted, each with the content it had then.

A yes is for one file in one place with one content: a changed file, or a copy of it, is asked about again.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from spotui import locations
from spotui.settings.errors import SettingsError
from spotui.settings.writing import alone, unwritable, write_text

VARIABLE: Final = "SPOTUI_TRUST"
"""Names files that are trusted without a yes, as CI needs it; several are separated like those of PATH."""


class _Trusted(msgspec.Struct, frozen=True):
    sha256: str


def is_trusted(path: Path, digest: str, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the user has trusted a file with this content.

    Args:
        path: The file, without links.
        digest: The SHA-256 of its content.
        environ: The environment, the process's own when None.

    Raises:
        SettingsError: The list cannot be read.
    """
    named = (os.environ if environ is None else environ).get(VARIABLE, "")
    if any(_resolved(one) == path for one in named.split(os.pathsep) if one):
        return True
    known = _read().get(str(path))
    return known is not None and known.sha256 == digest


def trust(path: Path, digest: str) -> None:
    """Remember the user's yes to a file with this content.

    Raises:
        SettingsError: The list cannot be read or written.
    """
    place = locations.trusted_file()
    try:
        with alone(place):
            known = {**_read(), str(path): _Trusted(digest)}
            write_text(place, msgspec.json.format(msgspec.json.encode(known), indent=1).decode() + "\n")
    except OSError as error:
        raise unwritable(place, error) from error


def _read() -> dict[str, _Trusted]:
    place = locations.trusted_file()
    try:
        return msgspec.json.decode(place.read_bytes(), type=dict[str, _Trusted])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{place} cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "Delete it; you are then asked again about every custom metric."
        raise SettingsError(f"{place} is damaged: {error}.", hint) from None


def _resolved(named: str) -> Path | None:
    try:
        return Path(named).expanduser().resolve()
    except (OSError, RuntimeError):
        return None
