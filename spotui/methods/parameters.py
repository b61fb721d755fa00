"""The parameters of a method: read from a template or from flags, checked, and described."""

from collections.abc import Mapping
from functools import reduce
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET

from spotui.domain.errors import SpotuiError, nearest
from spotui.lang import _
from spotui.methods.method import Alias, Method

_BOOLEANS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
"""How people write true and false on a command line."""


class ParameterError(SpotuiError):
    """A parameter that a method does not have, or a value that it does not take."""


class Described(msgspec.Struct, frozen=True):
    """A parameter as a person reads of it.

    Attributes:
        name: Its name.
        takes: Its values: the words, or the kind.
        default: Its value when nobody says otherwise.
        what: What it is for.
    """

    name: str
    takes: str
    default: Any
    what: str


def read_parameters(name: str, method: Method, given: Mapping[str, Any]) -> msgspec.Struct:
    """The parameters of a run.

    Args:
        name: What the method is called.
        method: The method.
        given: What differs from its defaults, by names or aliases; texts are read as the values they spell.

    Raises:
        ParameterError: There is no such parameter, or it does not take that value.
    """
    kinds = _kinds(method)
    values = dict(method.defaults)
    for key, value in _switches_last(method, given):
        alias = method.aliases.get(key)
        real = alias.name if alias is not None else key
        if real not in kinds:
            raise _unknown(name, key, method, kinds)
        if alias is not None and alias.is_switch:
            meant = _switched(name, key, alias, value, values)
        else:
            words = _words_of(method, real)
            meant = {real: words.get(value, value) if isinstance(value, str) else value}
        values |= {one: _value(name, one, kinds[one], new) for one, new in meant.items()}
    return msgspec.convert(values, method.parameters)


def _switches_last(method: Method, given: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """A switch beats what says how much of it there is, in whatever order they are given."""

    def is_switch(item: tuple[str, Any]) -> bool:
        alias = method.aliases.get(item[0])
        return alias is not None and alias.is_switch

    return sorted(given.items(), key=is_switch)


def _words_of(method: Method, real: str) -> dict[str, Any]:
    """Other words for the values of a parameter."""
    aliases = [one for one in method.aliases.values() if one.name == real and not one.is_switch]
    return {word: new for one in aliases for word, new in one.words.items()}


def _switched(name: str, key: str, alias: Alias, value: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a switch sets, given those set so far."""
    word = str(value).casefold()
    word = str(_BOOLEANS.get(word, word)).casefold()
    if word not in alias.words:
        raise ParameterError(
            _("{name} cannot set {key} to {value!r}.", name=name, key=key, value=value),
            _("It takes {words}.", words=", ".join(alias.words)),
        )
    meant = alias.words[word]
    if isinstance(meant, dict):
        return meant
    if meant is not UNSET:
        return {alias.name: meant}
    return {} if alias.usual is UNSET or values.get(alias.name) else {alias.name: alias.usual}


def describe_parameters(method: Method) -> list[Described]:
    """All parameters of a method in their order."""
    kinds, found = _kinds(method), []
    for field in msgspec.structs.fields(method.parameters):
        default = method.defaults.get(field.name, field.default)
        found.append(Described(field.name, _takes(kinds[field.name]), default, _what(kinds[field.name])))
    return found


def parse_assignment(text: str) -> tuple[str, Any]:
    """A parameter as it is typed: `name=value`.

    Raises:
        ParameterError: It has no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ParameterError(
            _("{text!r} sets no parameter.", text=text), _("For example: --set edit_budget_initial=40")
        )
    return name.strip().replace("-", "_"), value.strip()


def _kinds(method: Method) -> dict[str, Any]:
    return get_type_hints(method.parameters, include_extras=True)


def _value(name: str, key: str, kind: Any, value: Any) -> Any:
    folded = value.casefold() if isinstance(value, str) else value
    if folded in (None, "none", "null", "") and type(None) in _members(kind):
        return None
    if bool in _members(kind) and folded in _BOOLEANS:
        return _BOOLEANS[folded]
    try:
        return msgspec.convert(value, kind, strict=not isinstance(value, str))
    except msgspec.ValidationError:
        meant = nearest(value, [str(word) for word in _words(kind)]) if isinstance(value, str) else None
        hint = (
            _("Did you mean {meant}?", meant=meant) if meant else _("It takes {takes}.", takes=_takes(kind))
        )
        raise ParameterError(
            _("{name} cannot set {key} to {value!r}.", name=name, key=key, value=value), hint
        ) from None


def _unknown(name: str, key: str, method: Method, parameters: Mapping[str, Any]) -> ParameterError:
    if key in method.elsewhere:
        return ParameterError(
            _("{key} is not a parameter of {name}.", key=key, name=name), _(method.elsewhere[key])
        )
    if not parameters:
        return ParameterError(_("{name} has no parameter {key!r}.", name=name, key=key), _("It takes none."))
    meant = nearest(key, parameters)
    hint = (
        _("Did you mean {meant}?", meant=meant)
        if meant
        else _("Its parameters are {kinds}.", kinds=", ".join(parameters))
    )
    return ParameterError(_("{name} has no parameter {key!r}.", name=name, key=key), hint)


def _members(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _words(kind: Any) -> list[Any]:
    found: list[Any] = []
    for member in _members(kind):
        base = get_args(member)[0] if get_origin(member) is Annotated else member
        if get_origin(base) is Literal:
            found += get_args(base)
    return found


def _takes(kind: Any) -> str:
    if words := _words(kind):
        return ", ".join(map(str, words))
    return reduce(
        lambda first, second: _("{first} or {second}", first=first, second=second),
        (_range(one, kind) for one in _members(kind)),
    )


def _range(member: Any, kind: Any) -> str:
    base = get_args(member)[0] if get_origin(member) is Annotated else member
    names = {
        bool: _("true or false"),
        int: _("a whole number"),
        float: _("a number"),
        str: _("a text"),
        type(None): "none",
    }
    name = names.get(base, str(base))
    for extra in (*getattr(member, "__metadata__", ()), *getattr(kind, "__metadata__", ())):
        if isinstance(extra, msgspec.Meta) and extra.ge is not None:
            return (
                _("{name} from {ge} on", name=name, ge=extra.ge)
                if extra.le is None
                else _("{name} from {ge} to {le}", name=name, ge=extra.ge, le=extra.le)
            )
    return name


def _what(kind: Any) -> str:
    for one in (kind, *_members(kind)):
        for extra in getattr(one, "__metadata__", ()):
            if isinstance(extra, msgspec.Meta) and extra.description:
                return extra.description
    return ""
