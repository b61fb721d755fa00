"""What models replied, found again in a journal."""

from pathlib import Path

import msgspec

from spotui.domain.records import CallKey
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import read_replies
from tests.workspace.journal_lines import RUN, a_call, a_round


def test_a_second_try_counts_unless_it_is_empty(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl", run=RUN, writable=True) as journal:
        for index, attempt, text in [(0, 1, "one"), (1, 1, ""), (1, 2, "again"), (2, 1, "kept"), (2, 2, " ")]:
            call = a_call(text, index=index, digest=f"{index}/{attempt}")
            journal.append(msgspec.structs.replace(call, key=CallKey(1, "execute", index, attempt)))
        journal.append(a_round(1))
    keys = [CallKey(1, "execute", index) for index in (0, 1, 2, 3)]
    assert read_replies(tmp_path / "journal.jsonl", keys) == dict(
        zip(keys, ["one", "again", "kept"], strict=False)
    )
    assert read_replies(tmp_path / "missing", keys) == {}
