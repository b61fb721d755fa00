"""API keys: where they come from, and to which addresses each may be sent."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from spotui.domain.secret import Secret
from spotui.lang import _
from spotui.settings import locations
from spotui.settings.config_file import Config, ModelConfig
from spotui.settings.errors import SettingsError
from spotui.settings.writing import alone, read_private, unwritable, write_text

if TYPE_CHECKING:
    from types import ModuleType


SERVICE: Final = "spotui"
"""The service under which keys stand in the system keyring; the user name is the model id."""


def mask(key: Secret) -> str:
    """A key for showing: its ends when it is long enough to stay secret, else nothing of it."""
    value = key.reveal()
    return f"{value[:3]}…{value[-4:]}" if len(value) >= 20 else "[key]"


def key_from(text: str, where: str) -> Secret | None:
    """The key in a text, without the blanks and line ends that copying adds.

    Args:
        text: What was found or typed.
        where: Where, for the message.

    Returns:
        The key, or None when there is nothing.

    Raises:
        SettingsError: It holds characters that cannot stand in an HTTP header.
    """
    value = text.strip()
    if not value:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise SettingsError(
            _("{where}: this key holds a space or a character that no key has.", where=where),
            _("Copy the key again, without quotes and line ends."),
        )
    return Secret(value)


def configured_key(model: str, entry: ModelConfig, environ: Mapping[str, str]) -> Secret | None:
    """The key that a model's entry asks for.

    Args:
        model: The model id.
        entry: Its entry in the config file.
        environ: The environment.

    Returns:
        The key, or None when the entry names no place for one.

    Raises:
        SettingsError: The place that it names holds no key.
    """
    name = entry.api_key_env
    if name and (key := key_from(environ.get(name, ""), f"environment {name}")):
        return key
    if entry.api_key_keyring:
        if key := read_key(model):
            return key
        raise SettingsError(
            _("The system keyring holds no key for {model}.", model=model),
            _("Store one, or name a variable in api_key_env."),
        )
    if name:
        raise SettingsError(
            _("{model} takes its key from {name}, and {name} is not set.", model=model, name=name),
            _("Set it: export {name}=…", name=name),
        )
    return None


def read_key(model: str) -> Secret | None:
    """The key of a model in the system keyring; it may ask the user to unlock it, so never on an event loop.

    Raises:
        SettingsError: The keyring is not installed, not there, locked, or broken.
    """
    with _asking("read") as keyring:
        text = keyring.get_password(SERVICE, model)
    return key_from(text or "", _("keyring entry {model}", model=model))


def store_key(model: str, key: Secret) -> None:
    """Put the key of a model into the system keyring, in place of an earlier one.

    Raises:
        SettingsError: The keyring is not installed, not there, locked, or broken.
    """
    with _asking("store") as keyring:
        keyring.set_password(SERVICE, model, key.reveal())
        kept = keyring.get_password(SERVICE, model) == key.reveal()
    if not kept:  # keyring's null backend takes everything and keeps nothing
        raise SettingsError(
            _("The system keyring took the key and did not keep it."),
            _("Choose another keyring backend, or use an environment variable and api_key_env instead."),
        )


def delete_key(model: str) -> bool:
    """Take the key of a model out of the system keyring.

    Returns:
        Whether there was one.

    Raises:
        SettingsError: The keyring is not installed, not there, locked, or broken.
    """
    if read_key(model) is None:
        return False
    with _asking("delete") as keyring:
        keyring.delete_password(SERVICE, model)
    return True


@contextmanager
def _asking(verb: str) -> Iterator["ModuleType"]:
    try:
        import keyring
    except ImportError:
        raise SettingsError(
            _("The system keyring needs the package 'keyring', which is not installed."),
            _("Add it with: pip install 'spotui[keyring]'"),
        ) from None
    try:
        yield keyring
    except Exception as error:  # noqa: BLE001 - each backend raises its own, and none may reach the user
        # Only the error's type is told, and no cause is kept: a backend may quote the key it was given.
        raise SettingsError(
            _("The system keyring did not {verb} the key ({name}).", verb=verb, name=type(error).__name__),
            _("Unlock it; where there is none, use an environment variable and api_key_env instead."),
        ) from None


OPENAI_URLS: Final = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""The variables with the address for OpenAI's models; the second is an older name that many manuals give."""

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
    named.append(str(config.settings.get("run.base_url") or ""))
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
        raise SettingsError(
            _("{place} cannot be read: {strerror}.", place=place, strerror=error.strerror)
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = _("Delete it; the addresses of your runs are added again when you name them.")
        raise SettingsError(_("{place} is damaged: {error}.", place=place, error=error), hint) from None
