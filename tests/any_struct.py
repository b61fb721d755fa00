"""Values of a msgspec type, made from the type alone."""

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from hypothesis import reject
from hypothesis import strategies as st

from spotui.lang import Message

AStruct = TypeVar("AStruct", bound=msgspec.Struct)

_PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: st.text(),
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
    msgspec.UnsetType: st.just(msgspec.UNSET),
    dict[str, tuple[Message, ...]]: st.builds(dict),  # of an event, which has them on the wire only
}


def structs(kind: type[AStruct]) -> st.SearchStrategy[AStruct]:
    """Any value of a struct type that can be made; the codes of an event's sentences are on the wire only."""
    fields = {one.name: _of(one.type) for one in msgspec.structs.fields(kind) if one.name != "messages"}
    return st.fixed_dictionaries(fields).map(lambda values: _make(kind, values))


def _make(kind: type[AStruct], values: dict[str, Any]) -> AStruct:
    try:
        return kind(**values)
    except ValueError:
        reject()


def _of(kind: Any) -> st.SearchStrategy[Any]:
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is Annotated:
        return st.integers(inner[1].ge, inner[1].le)
    if origin in {Union, UnionType}:
        return st.one_of([_of(one) for one in inner])
    if origin is dict:
        return st.dictionaries(_of(inner[0]), _of(inner[1]), max_size=3)
    if origin is tuple and Ellipsis not in inner:
        return st.tuples(*map(_of, inner))
    if origin is tuple:
        return st.lists(_of(inner[0]), max_size=3).map(tuple)
    return structs(kind)
