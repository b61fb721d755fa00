"""Which provider, which key, before anything is sent."""

import pytest

from spotui.llm.protocol import AuthenticationError, BadRequestError
from tests.llm.providers.asking_litellm import QUIETLY, SAID, a_request, ask, ask_at
from tests.model_server import ModelServer

pytestmark = [pytest.mark.usefixtures("litellm", "no_keys"), QUIETLY]


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("gpt-4o", "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("claude-3-5-sonnet-20240620", "ANTHROPIC_API_KEY"),  # retired: no longer in litellm's list
        ("gemini-2.5-pro", "GEMINI_API_KEY"),
        ("scaleway/llama", "SCW_SECRET_KEY"),
    ],
)
def test_a_missing_key_is_named_before_anything_is_sent(model: str, variable: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        ask_at(None, a_request(model=model), key=None)
    assert caught.value.what.startswith(f"{model} needs a key, and ")
    assert variable in caught.value.what
    assert caught.value.hint == f"Set it: export {variable}=…"


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(SAID, key=None).text == SAID
    with ModelServer(lambda _: SAID) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
        ask_at(server.base_url, key=None)
        assert server.requests[0].headers["authorization"] == "Bearer sk-from-environment"


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("anthropc/claude-sonnet-4-5", "Did you mean anthropic/claude-sonnet-4-5 or "),
        ("§§§", "Put its provider in front"),
    ],
)
def test_an_unknown_provider_is_answered_with_near_ids(model: str, hint: str) -> None:
    with pytest.raises(BadRequestError, match="no provider for") as caught:
        ask_at(None, a_request(model=model), key=None)
    assert caught.value.hint.startswith(hint)
