"""Texts that take a value from the environment, as `${NAME}`, and where the user has let each value be sent.

Such a text is kept and shown as it is written. Only a request on its way holds the value.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from spotui.domain.lazy_pattern import LazyPattern
from spotui.domain.secret import Secret
from spotui.lang import _
from spotui.settings import locations
from spotui.settings.errors import SettingsError
from spotui.settings.writing import alone, read_private, unwritable, write_text

_REFERENCE: Final = LazyPattern(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ONLY_REFERENCE: Final = LazyPattern(r"(?:[A-Za-z]{1,20} )?\$\{[A-Za-z_][A-Za-z0-9_]*\}")
"""A reference alone, or after the name of a scheme such as Bearer."""


def variables_in(text: str | None) -> frozenset[str]:
    """The variables that a text takes values from."""
    return frozenset(_REFERENCE.findall(text or ""))


def is_reference(text: str) -> bool:
    """Whether a text holds nothing of its value, so that it may stand where a key would."""
    return _ONLY_REFERENCE.fullmatch(text) is not None


def is_half_reference(text: str) -> bool:
    """Whether a text has the beginning of a reference that names no variable."""
    return "${" in _REFERENCE.sub("", text)


def filled(text: str, values: Mapping[str, Secret]) -> str:
    """A text with the values in place of the variables that have one."""
    return _REFERENCE.sub(lambda one: values[one[1]].reveal() if one[1] in values else one[0], text)


def read_variable(name: str, environ: Mapping[str, str]) -> Secret:
    """The value of a variable, without the blanks and line ends that copying adds.

    Raises:
        SettingsError: It is not set, or holds characters that cannot stand in an HTTP header.
    """
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(
            _("A header or the query takes its value from {name}, and {name} is not set.", name=name),
            _("Set it: export {name}=…", name=name),
        )
    if not (value.isascii() and value.isprintable()):
        raise SettingsError(
            _("environment {name}: this value holds a character that no header can carry.", name=name),
            _("Copy it again, without quotes and line ends."),
        )
    return Secret(value)


def may_go(name: str, server: str) -> bool:
    """Whether the user has let a variable be sent to a server, for an earlier run.

    Raises:
        SettingsError: The list cannot be read.
    """
    return server in _read().get(name, ())


def let_go(pairs: Iterable[tuple[str, str]]) -> None:
    """Remember that the user lets variables be sent to servers, so that a run can be resumed.

    Args:
        pairs: Each variable with a server.

    Raises:
        SettingsError: The list cannot be read or written.
    """
    place, known = locations.variables_file(), _read()
    new = [(name, server) for name, server in pairs if server not in known.get(name, ())]
    if not new:
        return
    try:
        with alone(place):
            found = _read()
            for name, server in new:
                found.setdefault(name, set()).add(server)
            data = msgspec.json.encode({name: sorted(found[name]) for name in sorted(found)})
            write_text(place, msgspec.json.format(data, indent=1).decode() + "\n")
    except OSError as error:
        raise unwritable(place, error) from error


def _read() -> dict[str, set[str]]:
    place = locations.variables_file()
    try:
        return msgspec.json.decode(read_private(place), type=dict[str, set[str]])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(
            _("{place} cannot be read: {strerror}.", place=place, strerror=error.strerror)
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = _("Delete it; the variables of your runs are added again when you start them.")
        raise SettingsError(_("{place} is damaged: {error}.", place=place, error=error), hint) from None
