"""Reads YAML with its marks.

`load` gives a tree of `Scalar`, `Mapping` and `Sequence`. A scalar keeps its raw text, so that an unquoted
`answer: Yes` is the text "Yes". `Node.data` gives typed plain data where `true` is to be a bool. `line_of`
finds the line of a path.
"""

import codecs
import re
from typing import Final

import yaml

from spotui.marked_yaml.composer import BOM, Composer
from spotui.marked_yaml.explaining import explain
from spotui.marked_yaml.faults import EmptyYamlError, Fault, YamlError
from spotui.marked_yaml.nodes import Entry, MappingNode, Node, Plain, ScalarNode, SequenceNode, line_of

__all__ = [
    "BOM",
    "EmptyYamlError",
    "Entry",
    "Fault",
    "MappingNode",
    "Node",
    "Plain",
    "ScalarNode",
    "SequenceNode",
    "YamlError",
    "decode",
    "line_of",
    "load",
]

_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decode(data: bytes) -> str:
    """The text of a YAML file; a byte order mark stays.

    Raises:
        YamlError: The bytes are not UTF-8 text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise YamlError([Fault(1, "The file is saved as UTF-16.", "Save it as UTF-8 in your editor.")])
    if (zero := data.find(b"\0")) >= 0:
        mend = "Choose a YAML file; this may be an image, an archive or a program."
        raise YamlError([Fault(_line(data, zero), "The file is not a text.", mend)])
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        what = "There are bytes here that are not UTF-8 text."
        raise YamlError([Fault(_line(data, error.start), what, "Save the file as UTF-8.")]) from None


def load(text: str, *, merges: bool = False) -> Node:
    """Read one YAML document.

    Args:
        text: The document; it may begin with a byte order mark.
        merges: Whether merge keys (`<<`) are carried out, for a file that is only read.

    Raises:
        EmptyYamlError: There is nothing in it.
        YamlError: It is broken; every fault that could be found is in it.
    """
    if unreadable := _UNREADABLE.search(text):
        what = f"There is a character that no YAML file may hold (U+{ord(unreadable[0]):04X})."
        line = text.count("\n", 0, unreadable.start()) + 1
        raise YamlError([Fault(line, what, "Delete it.")])
    composer = Composer(text, merges=merges)
    try:
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        last = explain(error, text.removeprefix(BOM))
        known = any(fault.line == last.line for fault in composer.faults)
        raise YamlError(composer.faults if known else [*composer.faults, last]) from None
    if composer.faults:
        raise YamlError(composer.faults)
    if isinstance(root, ScalarNode) and root.typed and not root.text:
        raise EmptyYamlError
    return root


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1
