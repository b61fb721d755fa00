"""Tokens are counted as tiktoken counts them, offline, in bounded time."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from spotui.llm import tokens
from spotui.llm.pricing import VOCABULARIES, litellm_path
from spotui.llm.tokens import TokenCount, count_tokens, encoding_for, spo_tokens

MILLION = 1_000_000


@pytest.fixture(scope="module")
def reference() -> tiktoken.Encoding:
    """cl100k_base loaded by tiktoken itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(litellm_path(VOCABULARIES)))
        return tiktoken.get_encoding("cl100k_base")


@pytest.fixture
def no_vocabulary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tokens, "litellm_path", lambda _: tmp_path)
    tokens._load.cache_clear()
    monkeypatch.setattr(tokens, "_load", tokens._load.__wrapped__)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello, world!",
        "Let's think step by step.\n\n  1. 12345 + 67890 = ?\r\n",
        "请一步一步地思考。\n答案是：42。",
        "<|endoftext|> and <|fim_prefix|> are text here",
        "naïve café \U0001f600\u200d\U0001f4bb न\u092eस\u094dते",
        "\x00\x01\ufeff",
    ],
)
def test_counts_are_those_of_tiktoken(reference: tiktoken.Encoding, text: str) -> None:
    assert count_tokens(text) == TokenCount(len(reference.encode(text, disallowed_special=())))


def test_lone_surrogates_are_counted_like_replacement_characters(reference: tiktoken.Encoding) -> None:
    assert count_tokens("a\ud83d b\udc00").tokens == len(reference.encode("a\ufffd b\ufffd"))


@given(
    st.lists(
        st.sampled_from(
            [
                "word",
                "Ünïcode",
                "don't",
                "42",
                "3.14",
                "  ",
                "\n",
                "\n\n",
                "x_y",
                "(",
                "].",
                "你好，世界",
                "नमस्ते",
            ]
        ),
        min_size=30,
        max_size=120,
    )
)
def test_long_texts_are_cut_where_no_token_is(words: list[str]) -> None:
    text = " and so on ".join(words)
    whole = count_tokens(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_PIECE", 60)
        patch.setattr(tokens, "_CUT_WITHIN", 40)
        assert len(list(tokens._pieces(text))) > 1
        assert count_tokens(text) == whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * MILLION, 125_000),
        (" " * MILLION + "x", 7_814),
        ("\t" * MILLION, 62_500),
        ("\n" * MILLION, 31_250),
        ("^" * MILLION, 250_000),
        ("好" * MILLION, MILLION),
        ("\ud800" * MILLION, 250_000),
    ],
    ids=["a", "blanks", "tabs", "lines", "marks", "han", "surrogates"],
)
def test_a_million_of_anything_takes_a_moment(
    text: str, expected: int, capfd: pytest.CaptureFixture[str]
) -> None:
    count_tokens("")
    began = time.process_time()
    counted = count_tokens(text).tokens
    assert time.process_time() - began < 5
    assert counted == pytest.approx(expected, rel=0.001)
    assert capfd.readouterr() == ("", "")


def test_spo_counts_the_python_text_of_its_answers(reference: tiktoken.Encoding) -> None:
    answers = [
        {"answer": 'It\'s "4"\n', "question": "2+2?"},
        {"question": "你好", "answer": "\ud83d", "other": "-"},
    ]
    written = "[{'question': '2+2?', 'answer': 'It\\'s \"4\"\\n'}, {'question': '你好', 'answer': '\\ud83d'}]"
    assert spo_tokens(answers) == len(reference.encode(written))
    assert spo_tokens([]) == len(reference.encode("[]"))


@pytest.mark.parametrize(
    ("model_id", "encoding"),
    [
        ("gpt-4o", "o200k_base"),
        ("openai/gpt-4o-mini-2024-07-18", "o200k_base"),
        ("azure/eu/gpt-4.1-nano", "o200k_base"),
        ("o3", "o200k_base"),
        ("o4-mini", "o200k_base"),
        ("gpt-5.1-codex", "o200k_base"),
        ("openrouter/openai/gpt-oss-20b", "o200k_base"),
        ("ft:gpt-4o:acme", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("claude-sonnet-4-5", "cl100k_base"),
        ("o1ympus", "cl100k_base"),
        ("", "cl100k_base"),
    ],
)
def test_models_have_their_encoding(model_id: str, encoding: str) -> None:
    assert encoding_for(model_id) == encoding


def test_the_newer_encoding_loads_too() -> None:
    script = (
        "from spotui.llm.tokens import count_tokens; print(*count_tokens('你好世界 hello', 'o200k_base'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False"]


@pytest.mark.parametrize("encoding", ["no_such_encoding", "gpt2", "o200k_harmony"])
def test_an_encoding_without_a_vocabulary_counts_characters(encoding: str) -> None:
    assert count_tokens("twelve chars", encoding) == TokenCount(3, approximate=True)


@pytest.mark.usefixtures("no_vocabulary")
def test_without_the_vocabulary_characters_are_counted_and_nothing_is_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a network was asked")

    monkeypatch.setattr("socket.socket.connect", connect)
    monkeypatch.setattr("socket.getaddrinfo", connect)
    assert count_tokens("ab\ud800de") == TokenCount(2, approximate=True)
    assert count_tokens("") == TokenCount(0, approximate=True)


@pytest.mark.usefixtures("no_vocabulary")
@pytest.mark.parametrize("content", [b"", b"YQ== 0\n", b"\xff\xfe", b"YQ==\n"])
def test_a_vocabulary_with_other_bytes_is_not_trusted_and_not_deleted(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"
    broken.write_bytes(content)
    assert count_tokens("abcd") == TokenCount(1, approximate=True)
    assert broken.read_bytes() == content


def test_loading_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "/nowhere")
    before = dict(os.environ)
    tokens._load.cache_clear()
    assert not count_tokens("abcd").approximate
    assert dict(os.environ) == before


def test_many_threads_load_it_once() -> None:
    tokens._load.cache_clear()
    counts: list[TokenCount] = []
    threads = [threading.Thread(target=lambda: counts.append(count_tokens("one two"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [TokenCount(2)] * 8
    assert tokens._load.cache_info().misses == 1


def test_it_is_light_until_something_is_counted_and_never_heavy() -> None:
    script = (
        "import sys\n"
        "from spotui.llm import tokens\n"
        "assert {'tiktoken', 'asyncio', 'hashlib'}.isdisjoint(sys.modules), 'heavy import'\n"
        "tokens.count_tokens('x')\n"
        "assert {'litellm', 'requests'}.isdisjoint(sys.modules), 'wrong import'\n"
        "lines = open('/proc/self/status').read().splitlines()\n"
        "print(*(line.split()[1] for line in lines if line.startswith(('VmHWM', 'VmRSS'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    peak, kept = map(int, done.stdout.split())
    assert peak < 60_000
    assert kept < 50_000
