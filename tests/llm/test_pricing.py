"""Prices are read from litellm's own table, without litellm."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spotui.llm import pricing
from spotui.llm.pricing import PRICES, litellm_path
from spotui.llm.routing import Price


@pytest.mark.parametrize(
    ("model_id", "price"),
    [
        ("gpt-4o-mini", Price(0.15, 0.6)),
        ("openai/gpt-4o-mini", Price(0.15, 0.6)),
        ("gpt-4o", Price(2.5, 10.0)),
        ("gpt-4o-2024-05-13", Price(5.0, 15.0)),
        ("openai/gpt-4o-2099-12-31", Price(2.5, 10.0)),
        ("claude-sonnet-4-5", Price(3.0, 15.0)),
        ("anthropic/claude-sonnet-4-5", Price(3.0, 15.0)),
        ("anthropic/claude-sonnet-4-5-20991231", Price(3.0, 15.0)),
        ("bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0", Price(3.0, 15.0)),
        ("ollama/llama3", Price(0.0, 0.0)),
    ],
)
def test_a_price_is_found_under_every_spelling_of_an_id(model_id: str, price: Price) -> None:
    found = pricing.lookup(model_id)
    assert found is not None
    assert (found.input, found.output) == (price.input, price.output)


@pytest.mark.parametrize(
    ("model_id", "base"),
    [
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "ft:gpt-4o-mini-2024-07-18"),
        ("openai/ft:gpt-4o-mini-2024-07-18:acme:name:abc", "ft:gpt-4o-mini-2024-07-18"),
        ("ft:gpt-3.5-turbo-0125:acme::abc:ckpt-step-90", "ft:gpt-3.5-turbo-0125"),
        ("ft:gpt-5-mini:acme::abc", "gpt-5-mini"),  # the table has no price of its own for it
        ("ft:gpt-4o-2099-01-01:acme::abc", "gpt-4o"),
    ],
)
def test_a_fine_tuned_model_has_the_price_of_its_base(model_id: str, base: str) -> None:
    assert pricing.lookup(base) is not None
    assert pricing.lookup(model_id) == pricing.lookup(base)


@pytest.mark.parametrize("model_id", ["ft:no-such-model:acme::abc", "ft:", "ft::", "acme/ft:gpt-4o:a::b"])
def test_a_fine_tuned_model_of_nothing_known_has_no_price(model_id: str) -> None:
    assert pricing.lookup(model_id) is None


@pytest.mark.parametrize(
    ("model_id", "cached", "cache_write"),
    [
        ("gpt-4o", 1.25, None),
        ("deepseek/deepseek-chat", 0.028, None),
        ("anthropic/claude-sonnet-4-5", 0.3, 3.75),
        ("gpt-4o-2024-05-13", None, None),
    ],
)
def test_cached_tokens_have_prices_where_the_table_knows_them(
    model_id: str, cached: float | None, cache_write: float | None
) -> None:
    price = pricing.lookup(model_id)
    assert price is not None
    assert (price.cached, price.cache_write) == (cached, cache_write)


def test_what_a_cache_saves_and_costs() -> None:
    price = Price(input=3.0, output=15.0, cached=0.3, cache_write=3.75)
    parts = price.cost(1_000_000, 0, cached_tokens=600_000, cache_write_tokens=100_000)
    assert parts == pytest.approx(0.3 * 3.0 + 0.6 * 0.3 + 0.1 * 3.75)
    assert Price(3.0, 15.0).cost(1_000_000, 0, cached_tokens=600_000) == 3.0


def test_a_bare_id_has_the_price_of_its_family_and_another_seller_has_its_own() -> None:
    price = pricing.lookup("deepseek/deepseek-chat")
    assert price is not None
    assert pricing.lookup("deepseek-chat") == price
    assert pricing.lookup("azure/eu/gpt-4o-mini") != pricing.lookup("openai/gpt-4o-mini")


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "/",
        "gpt-4o/",
        "no-such-model",
        "meta-llama/Llama-3.1-8B-Instruct",
        "acme/gpt-4o",  # another seller has another price
        "openai/claude-sonnet-4-5",
        "gemini/gemma-3-27b-it",  # the table says 0, which only means nobody wrote a price down
        "sample_spec",
        "dall-e-3",
    ],
)
def test_an_unknown_price_is_none_and_never_zero(model_id: str) -> None:
    assert pricing.lookup(model_id) is None


@pytest.mark.parametrize("model_id", ["text-embedding-3-small", "openai/text-embedding-3-small"])
def test_an_embedding_has_a_price_for_what_is_read_alone(model_id: str) -> None:
    assert pricing.lookup(model_id) == Price(input=0.02, output=0.0)
    assert model_id not in pricing.nearest("text-embedding-3-smal")


def test_prices_agree_with_the_table_for_every_chat_model_of_openai() -> None:
    path = litellm_path(PRICES)
    assert path is not None
    rows = {
        name: row
        for name, row in json.loads(path.read_bytes()).items()
        if row.get("litellm_provider") == "openai" and row.get("mode") == "chat" and "/" not in name
    }
    assert len(rows) > 50
    for name, row in rows.items():
        price = pricing.lookup(f"openai/{name}")
        if row.get("input_cost_per_token") and row.get("output_cost_per_token"):
            assert price is not None
            assert price.cost(1, 0) == pytest.approx(row["input_cost_per_token"])
            assert price.cost(0, 1) == pytest.approx(row["output_cost_per_token"])
        else:
            assert price is None


def test_providers_are_told_from_owners_of_weights() -> None:
    providers = pricing.known_providers()
    assert {"anthropic", "openrouter", "azure", "bedrock", "ollama", "modelscope", "poe"} <= providers
    assert providers.isdisjoint({"meta-llama", "Qwen", "mistralai", "deepseek-ai", "gpt-4o"})


@pytest.mark.parametrize(
    ("model_id", "provider"),
    [
        ("claude-3-5-sonnet-20240620", "anthropic"),
        ("gpt-9", "openai"),
        ("o7-mini", "openai"),
        ("ft:gpt-4o:acme", "openai"),
        ("gemini-9-pro", "gemini"),
        ("grok-9", "xai"),
        ("opus", None),
        ("oxford-1", None),
        ("gptx", None),
    ],
)
def test_a_family_names_its_provider_for_models_of_any_age(model_id: str, provider: str | None) -> None:
    assert pricing.guess_provider(model_id) == provider


@pytest.mark.parametrize(
    ("model_id", "first"),
    [
        ("gpt4o", "gpt-4o"),
        ("openai/gpt-4o-mni", "gpt-4o-mini"),
        ("claude-sonet-4-5", "claude-sonnet-4-5"),
        ("anthropc/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("deepseek/deepseek-chatt", "deepseek/deepseek-chat"),
    ],
)
def test_a_slip_of_the_pen_finds_what_was_meant(model_id: str, first: str) -> None:
    names = pricing.nearest(model_id)
    assert names[0] == first
    assert len(names) <= 3
    assert len(set(names)) == len(names)


def test_nonsense_is_near_nothing() -> None:
    assert pricing.nearest("§§§") == []
    assert len(pricing.nearest("gpt-4", n=1)) == 1


@pytest.mark.parametrize("content", [None, b"", b"[1]", b'{"gpt-4o": 3}', b'{"gpt-4o": {"mode": "chat"'])
def test_a_missing_or_broken_table_knows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    table = tmp_path / "prices.json"
    if content is not None:
        table.write_bytes(content)
    monkeypatch.setattr(pricing, "litellm_path", lambda _: table if table.exists() else None)
    pricing._read_table.cache_clear()
    try:
        assert pricing.lookup("gpt-4o") is None
        assert pricing.nearest("gpt-4o") == []
    finally:
        pricing._read_table.cache_clear()


def test_it_costs_little_and_imports_neither_litellm_nor_an_event_loop() -> None:
    script = (
        "import sys, msgspec\n"
        "def memory(what):\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith(what))\n"
        "before, peak = memory('VmRSS'), memory('VmHWM')\n"
        "from spotui.llm import pricing\n"
        "assert pricing.lookup('gpt-4o') and pricing.known_providers()\n"
        "print(memory('VmRSS') - before, memory('VmHWM') - peak, *sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    kept, peak, *modules = done.stdout.split()
    assert {"litellm", "asyncio", "aiohttp", "httpx"}.isdisjoint(modules)
    assert int(kept) < 6_000
    assert int(peak) < 10_000
