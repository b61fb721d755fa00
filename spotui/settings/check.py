"""Turning what YAML read into the config's types, finding every mistake on the way and not only the first."""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Final, TypeVar, get_args, get_origin

import msgspec

from spotui.nearest import nearest
from spotui.settings.errors import Problem, SettingsError, show
from spotui.settings.kinds import KindError, convert, members

Keys = tuple[str, ...]
"""Where a value is: its keys from the top."""

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_KEY_NAMES: Final = frozenset({"apikey", "key", "token", "secret", "password", "authorization", "headers"})


class Checker:
    """One pass over one document.

    Args:
        file: What the document is called in messages.
        line_of: The line of a value, or of what stands nearest above it; 0 when lines mean nothing.
    """

    def __init__(self, file: str, line_of: Callable[[Keys], int] = lambda _: 0) -> None:
        self._file = file
        self._line_of = line_of
        self._problems: list[tuple[int, Problem]] = []

    def raise_problems(self) -> None:
        """Tell everything that was wrong, in the document's order.

        Raises:
            SettingsError: Something was.
        """
        if self._problems:
            raise SettingsError.of([problem for _, problem in sorted(self._problems, key=itemgetter(0))])

    def struct(self, kind: type[_Struct], value: object, at: Keys = ()) -> _Struct | None:
        """Read a mapping as a struct; a section without a value is an empty one.

        Args:
            kind: The struct wanted.
            value: What was written.
            at: Where it was written.

        Returns:
            The struct, without the fields that were wrong; None when it cannot be made at all.
        """
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            self._add(at, f"{_said(at)} must be a mapping of settings, not {show(value)}.")
            return None
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        self._refuse_unknown(value, tuple(fields), at)
        good: dict[str, object] = {}
        for name, field in fields.items():
            if name in value:
                self._field(good, name, field.type, value[name], (*at, name))
            elif field.required:
                self._add(at, f"{_said(at)} needs {name}.", f"Add a line '{name}: …' under it.")
        if any(field.required and name not in good for name, field in fields.items()):
            return None
        return kind(**good)

    def _field(self, good: dict[str, object], name: str, kind: object, value: object, at: Keys) -> None:
        section, entries = _section(kind), _entries_of(kind)
        if entries is not None:
            good[name] = self._entries(*entries, value, at)
        elif section is None or (value is None and type(None) in members(kind)):
            self._leaf(good, name, kind, value, at)
        elif (found := self.struct(section, value, at)) is not None:
            good[name] = found

    def _entries(self, key_kind: object, kind: type[_Struct], value: object, at: Keys) -> dict[str, _Struct]:
        good: dict[str, _Struct] = {}
        if not isinstance(value, Mapping | None):
            self._add(at, f"{_said(at)} must be a mapping, not {show(value)}.")
            return good
        for name, entry in (value or {}).items():
            key: dict[str, object] = {}
            self._leaf(key, "name", key_kind, name, (*at, str(name)))
            found = self.struct(kind, entry, (*at, str(name)))
            if found is not None and key:
                good[str(name)] = found
        return good

    def _leaf(self, good: dict[str, object], name: str, kind: object, value: object, at: Keys) -> None:
        try:
            good[name] = convert(kind, value)
        except KindError as error:
            self._add(at, f"{_said(at)} {error.what}.", error.mend)

    def _refuse_unknown(self, value: Mapping[object, object], known: tuple[str, ...], at: Keys) -> None:
        for key in value:
            if isinstance(key, str) and key in known:
                continue
            here = (*at, str(key))
            if str(key).casefold().replace("_", "").replace("-", "") in _KEY_NAMES:
                self._add(
                    here,
                    f"{_said(here)} would put a key into this file, where others can read it.",
                    "Put the key into an environment variable and write 'api_key_env: ITS_NAME' instead, "
                    "or keep it in the system keyring and write 'api_key_keyring: true'.",
                )
                continue
            meant = nearest(str(key), known)
            self._add(
                here,
                f"{_said(here)} is not a setting.",
                f"Did you mean {meant}?" if meant else f"These can stand here: {', '.join(known)}.",
            )

    def _add(self, at: Keys, what: str, mend: str = "") -> None:
        line = self._line_of(at)
        where = f"{self._file}, line {line}" if line else self._file
        self._problems.append((line, Problem(where, what, mend)))


def _said(at: Keys) -> str:
    """A path for a message; a key pasted as a name is not repeated."""
    shown = (part if len(part) <= 60 and not part.startswith("sk-") else "…" for part in at)
    return ".".join(shown) or "the file"


def _section(kind: object) -> type[msgspec.Struct] | None:
    """The struct that a field holds, if it holds one."""
    for one in members(kind):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return None


def _entries_of(kind: object) -> tuple[object, type[msgspec.Struct]] | None:
    """The kinds of key and value of a field that holds named entries."""
    for one in members(kind):
        if get_origin(one) is dict:
            key, entry = get_args(one)
            return key, entry
    return None
