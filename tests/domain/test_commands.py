from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.commands import (
    AnyCommand,
    Command,
    CommandError,
    SetBudget,
    decode_command,
    encode_command,
)
from tests.any_struct import structs

COMMANDS = st.one_of([structs(kind) for kind in get_args(AnyCommand)])

WRONG = {
    "no JSON": b"stop",
    "no object": b"[]",
    "no command": b"{}",
    "unknown": b'{"command":"dance"}',
    "unknown field": b'{"command":"stop","now":true}',
    "missing field": b'{"command":"vote","round":2}',
    "wrong type": b'{"command":"rounds","rounds":"5"}',
    "fraction": b'{"command":"rounds","rounds":1.5}',
    "out of range": b'{"command":"budget","usd":1e999}',
    "wrong word": b'{"command":"vote","round":2,"choice":"void"}',
    "nothing to change": b'{"command":"budget"}',
    "a round that no run has": b'{"command":"edit","round":10001,"prompt":"x"}',
    "a huge round": b'{"command":"override","round":1%s,"outcome":"win"}' % (b"0" * 400),
    "a question below 0": b'{"command":"vote","round":2,"choice":"win","question":-1}',
    "no UTF-8": b'{"command":"edit","round":2,"prompt":"\xff"}',
    "half a character": b'{"command":"edit","round":2,"prompt":"\\ud800"}',
    "two at once": b'{"command":"stop"}{"command":"stop"}',
    "bottomless": b'{"command":' * 100_000,
}


@given(COMMANDS)
def test_a_command_is_one_line_that_reads_back_as_it_was(command: Any) -> None:
    line = encode_command(command)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_command(line) == command


@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG)
def test_what_is_no_command_is_refused_with_the_commands_there_are(line: bytes) -> None:
    with pytest.raises(CommandError) as refusal:
        decode_command(line)

    assert refusal.value.what.startswith("Not a command: ")
    assert "pause, resume, rounds, stop, vote" in refusal.value.hint


@given(st.binary(max_size=60))
def test_any_line_is_a_command_or_refused(line: bytes) -> None:
    with suppress(CommandError):
        assert isinstance(decode_command(line), Command)


@given(st.data(), COMMANDS)
def test_a_command_with_wrong_bytes_or_values_is_one_still_or_refused(
    data: st.DataObject, command: Any
) -> None:
    line = encode_command(command)
    start = data.draw(st.integers(0, len(line) - 1))
    piece = data.draw(
        st.binary(max_size=4)
        | st.sampled_from([b"null", b"-1", b"1e999", b"1" + b"0" * 400, b"[" * 9_999, b"{}"])
    )
    with suppress(CommandError):
        decoded = decode_command(line[:start] + piece + line[start + data.draw(st.integers(0, 9)) :])
        assert decode_command(encode_command(decoded)) == decoded


def test_a_limit_that_is_not_named_is_not_lifted() -> None:
    assert decode_command(b'{"command":"budget","usd":null}') == SetBudget(usd=None)
    assert decode_command(b'{"command":"budget","tokens":5}') != SetBudget(tokens=5, usd=None)
