"""YAML with marks: raw texts, lines, typed data, and broken files that a person can fix."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spotui.templates.yaml import composer
from spotui.templates.yaml.composer import decode, load
from spotui.templates.yaml.faults import EmptyYamlError, Fault, YamlError
from spotui.templates.yaml.nodes import MappingNode, ScalarNode, SequenceNode, line_of

BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + above] * 10)}]\n"
    for above, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "_LOADER", getattr(yaml, request.param))


either_parser = pytest.mark.usefixtures("_either_parser")


def mapping(text: str) -> MappingNode:
    root = load(text)
    assert isinstance(root, MappingNode)
    return root


def faults(text: str) -> tuple[Fault, ...]:
    try:
        load(text).data()
    except YamlError as error:
        return error.faults
    return ()


@either_parser
@pytest.mark.parametrize(
    "written",
    [
        "Yes",
        "on",
        "12",
        "1e3",
        "0x10",
        "2024-01-01",
        "12:30:00",
        "~",
        "null",
        "-.inf",
        "1_000",
        "=",
        "007",
        "NO",
    ],
)
def test_an_unquoted_value_keeps_its_text(written: str) -> None:
    value = mapping(f"answer: {written}\n").entries["answer"].value
    assert isinstance(value, ScalarNode)
    assert value.text == written


@either_parser
@pytest.mark.parametrize(
    ("written", "data"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("", None),
        ("~", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("0o17", 15),
        ("007", 7),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("2024-01-01", "2024-01-01"),
        ("12:30", "12:30"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("9" * 5000, "9" * 5000),
        ("[1, a]", [1, "a"]),
        ("{b: 0.5}", {"b": 0.5}),
    ],
)
def test_typed_data_follows_yaml_1_2(written: str, data: object) -> None:
    found = mapping(f"a: {written}\n").entries["a"].value.data()
    assert found == data
    assert type(found) is type(data)


@either_parser
def test_every_key_and_item_has_its_line() -> None:
    root = load("# c\na: 1\n\nb:\n  - x\n  -\n    y: |\n      text\n    z: {k: v,\n      l: [1,\n      2]}\n")
    assert line_of(root) == 2
    assert line_of(root, "a") == 2
    assert line_of(root, "b") == 4
    assert line_of(root, "b", 0) == 5
    assert line_of(root, "b", 1, "y") == 7
    assert line_of(root, "b", 1, "z", "l", 1) == 11


def test_the_line_of_what_is_missing_is_that_of_what_holds_it() -> None:
    root = load("a: 1\nb:\n  c: 2\n")
    assert line_of(root, "b", "nothing", 3) == 2
    assert line_of(root, "b", 0) == 2


@either_parser
def test_places_are_offsets_into_the_text_after_a_byte_order_mark_and_emoji() -> None:
    text = '\ufeffa: "😀"\nb: [é, ü]\nc: |\n  lines\n\n\n# end\n'
    root = mapping(text)
    b = root.entries["b"].value
    assert isinstance(b, SequenceNode)
    assert [text[node.start : node.end] for node in (root.entries["a"].value, b, b.items[1])] == [
        '"😀"',
        "[é, ü]",
        "ü",
    ]
    literal = root.entries["c"].value
    assert text[literal.start : literal.end] == "|\n  lines"


@either_parser
def test_an_alias_is_what_it_refers_to_in_its_own_place() -> None:
    root = mapping("a: &x {k: 1}\nb: *x\n")
    assert root.entries["b"].value.data() == {"k": 1}
    assert root.entries["b"].value.line == 2
    assert root.entries["b"].value.alias
    assert not root.entries["a"].value.alias


@either_parser
@pytest.mark.parametrize("char", ["\x85", "\u2028", "\u2029"])
def test_what_only_yaml_1_1_takes_for_a_line_end_is_text(char: str) -> None:
    root = mapping(f"a: |\n  x{char}y\nb: x{char}y\nc: 1\n")
    assert root.data() == {"a": f"x{char}y\n", "b": f"x{char}y", "c": 1}
    assert line_of(root, "c") == 4


@either_parser
@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a:\n\t- x\n", 2, "tab"),
        ("a:\n  b: 1\n\tc: 2\n", 3, "tab"),
        ('a: 1\nb: "x\nc: 1\n', 2, "never closed"),
        ('a: "x\n---\ny"\n', 1, "never closed"),
        ("b: 'it's'\n", 1, "closing '"),
        ('a: "x" y\n', 1, 'closing "'),
        ("a: {q} x\n", 1, "closing }"),
        ("a: note: x\n", 1, "second colon"),
        ("a:x\nb: 1\n", 1, "no space after the colon of `a`"),
        ("a: 1\n  b: 2\n", 2, "does not fit"),
        ("a: 1\njust words\nb: 2\n", 2, "neither"),
        ("a:\n    b: 1\n  c: 2\n", 3, "indented unlike"),
        ("a:\n  - b\n - c\n", 3, "indented unlike"),
        ("a: @x\n", 1, "begin with @"),
        ("a: `x`\n", 1, "begin with `"),
        ("a: %x\n", 1, "begin with %"),
        ("a: **bold** x\n", 1, "begin with *"),
        ("a: *bold x\n", 1, "*bold refers to nothing"),
        ("a: & b\n", 1, "begin with * or &"),
        ("a: > x\n", 1, "may follow"),
        ("a: - x\n", 1, "list cannot begin"),
        ('a: "\\d"\n', 1, "backslash"),
        ('a: "\\ud800"\n', 1, ""),
        ("a: 1\nb: [x\nc: 1\n", 2, "[ or {"),
        ("a: 1\nb: {x: 1\n", 2, "[ or {"),
        ("a: x\x07\n", 1, "U+0007"),
        ("a: 1\nb: x\0\n", 2, "U+0000"),
        ("a: \ud800\n", 1, "U+D800"),
        ("a: 1\nb: 2\na: 3\n", 3, "`a` is here twice, first on line 1"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: !!python/object:os.system x\n", 1, "tags"),
        ("a: !x [1]\n", 1, "tags"),
        ("? [a]\n: b\n", 1, "begins a list or a mapping"),
        ("a: &x {k: 1}\nb:\n  <<: *x\n", 3, "Merge keys"),
        ("a: &x [*x]\n", 1, "refers to nothing"),
        ("a: " + "[" * 5000, 1, "too deep"),
        ("a: " + "[" * 51 + "]" * 51, 1, "too deep"),
        ("a: 1\nb: " + "{" * 5000, 2, "too deep"),
        ("a:\n" + "- " * 3000 + "x", 2, "too deep"),
        ("? " * 3000 + "x", 1, "too deep"),
        ("\n".join(" " * depth + "a:" for depth in range(1500)), 51, "too deep"),
        (BOMB, 4, "repeat too much"),
        ("...\n", 1, "cannot be read"),
    ],
)
def test_a_broken_text_is_an_error_with_its_line_and_a_hint(text: str, line: int, word: str) -> None:
    with pytest.raises(YamlError) as caught:
        load(text)
    fault = caught.value.faults[-1]
    assert fault.line == line
    assert word in fault.what
    assert fault.what.endswith(".")
    assert fault.hint
    assert str(line) in str(caught.value)


@either_parser
@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_text_is_an_error_of_its_own(text: str) -> None:
    with pytest.raises(EmptyYamlError):
        load(text)


def test_every_fault_that_leaves_the_rest_readable_is_told() -> None:
    with pytest.raises(YamlError) as caught:
        load("a: 1\na: 2\nb: !x y\nb: 3\nc: *nothing\n")
    assert [fault.line for fault in caught.value.faults] == [2, 3, 4, 5]
    assert all(f"Line {line}" in caught.value.what for line in (2, 3, 4, 5))


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        ("a: é".encode("latin-1"), 1, "not UTF-8"),
        ("a: 1".encode("utf-16"), 1, "UTF-16"),
        (b"\x89PNG\n\x1a\0\0", 2, "not a text"),
    ],
)
def test_bytes_that_are_no_text_are_an_error(data: bytes, line: int, word: str) -> None:
    with pytest.raises(YamlError) as caught:
        decode(data)
    assert caught.value.faults[0].line == line
    assert word in caught.value.what


def test_bytes_decode_to_their_text() -> None:
    assert decode("a: 猫 😀\r\n".encode()) == "a: 猫 😀\r\n"
    assert load(decode("\ufeffa: 1".encode())).data() == {"a": 1}


@given(
    st.text(st.sampled_from("ab:-#?,[]{}&*!|>'\"%@` \n\t\r\\\x85\u2028é😀0") | st.characters(), max_size=40),
)
def test_no_text_gives_a_traceback(text: str) -> None:
    assert all(
        fault.hint and 1 <= fault.line <= text.count("\n") + text.count("\r") + 1 for fault in faults(text)
    )


@given(st.binary(max_size=40))
def test_no_bytes_give_a_traceback(data: bytes) -> None:
    try:
        text = decode(data)
    except YamlError:
        return
    faults(text)


@either_parser
def test_the_parsers_take_exactly_the_characters_that_load_lets_through() -> None:
    for code in [*range(0x250), *range(0xD7F0, 0xD810), *range(0xFEF0, 0x10010), 0x10FFFF]:
        if chr(code) not in '"\\':
            found = faults(f'a: "{chr(code)}"\n')
            assert not found or "no YAML file" in found[0].what, hex(code)
