"""The endpoints that the user's key may be sent to: those that the user has named here, never a file alone.

A project's run.yaml names the address that its run used. Somebody else's names theirs, and a key must not go
there because a project is resumed.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from spotui import locations
from spotui.settings.errors import SettingsError
from spotui.settings.roles import OPENAI_URLS
from spotui.settings.schema import Config
from spotui.settings.writing import alone, read_private, unwritable, write_text

_VARIABLES: Final = ("SPOTUI_BASE_URL", *OPENAI_URLS)
_PORTS: Final = {"http": 80, "https": 443}


def is_trusted_address(url: str, config: Config, environ: Mapping[str, str]) -> bool:
    """Whether the user has named an endpoint: in the environment, in the config file, or for an earlier run.

    Args:
        url: Its base URL; the path does not matter.
        config: The user's config file.
        environ: The environment.

    Raises:
        SettingsError: The list of addresses cannot be read.
    """
    named = [environ.get(variable, "") for variable in _VARIABLES]
    named += [entry.base_url or "" for entry in config.models.values()]
    wanted = origin(url)
    return wanted in map(origin, filter(None, named)) or wanted in _read()


def trust_address(url: str) -> None:
    """Remember that the user has named an endpoint.

    Raises:
        SettingsError: The list cannot be read or written.
    """
    place = locations.addresses_file()
    if origin(url) in _read():
        return
    try:
        with alone(place):
            write_text(place, _encoded({*_read(), origin(url)}))
    except OSError as error:
        raise unwritable(place, error) from error


def origin(url: str) -> str:
    """The part of a URL that says who answers: scheme, host and port; empty for what is no URL."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{(parts.hostname or '').rstrip('.')}:{port}" if parts.hostname else ""


def _encoded(origins: Iterable[str]) -> str:
    return msgspec.json.format(msgspec.json.encode(sorted(origins)), indent=1).decode() + "\n"


def _read() -> set[str]:
    place = locations.addresses_file()
    try:
        return msgspec.json.decode(read_private(place), type=set[str])
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise SettingsError(f"{place} cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "Delete it; the addresses of your runs are added again when you name them."
        raise SettingsError(f"{place} is damaged: {error}.", hint) from None
