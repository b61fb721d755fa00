"""Keys come from the environment or the keyring and are never shown."""

import sys
import traceback
from types import ModuleType

import pytest

from spotui.domain.secret import Secret
from spotui.settings.config_file import ModelConfig
from spotui.settings.errors import SettingsError
from spotui.settings.keys import configured_key, delete_key, key_from, mask, read_key, store_key

KEY = "sk-live-0123456789abcdef3f9a"


class MemoryKeyring(ModuleType):
    """The three functions of the keyring package, with a locked state."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.entries: dict[tuple[str, str], str] = {}
        self.broken: Exception | None = None
        self.keeps = True

    def get_password(self, service: str, user: str) -> str | None:
        self._check()
        return self.entries.get((service, user))

    def set_password(self, service: str, user: str, password: str) -> None:
        self._check()
        if self.keeps:
            self.entries[service, user] = password

    def delete_password(self, service: str, user: str) -> None:
        self._check()
        del self.entries[service, user]

    def _check(self) -> None:
        if self.broken:
            raise self.broken


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    module = MemoryKeyring()
    monkeypatch.setitem(sys.modules, "keyring", module)
    return module


@pytest.mark.parametrize(
    ("key", "shown"),
    [(KEY, "sk-…3f9a"), ("short-key", "[key]"), ("x" * 19, "[key]"), ("", "[key]")],
)
def test_a_mask_shows_the_ends_of_long_keys_only(key: str, shown: str) -> None:
    assert mask(Secret(key)) == shown


def test_a_key_loses_what_copying_added_and_nothing_else() -> None:
    found = key_from(f"  {KEY}\r\n", "the prompt")
    assert found is not None
    assert found.reveal() == KEY
    assert key_from(" \n", "the prompt") is None


@pytest.mark.parametrize("text", [f"{KEY}\nsecond", f"Bearer {KEY}", f"{KEY}\x07", f"“{KEY}”"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_unseen(text: str) -> None:
    with pytest.raises(SettingsError, match="environment MY_KEY") as caught:
        key_from(text, "environment MY_KEY")
    assert KEY not in str(caught.value)


def test_the_named_variable_comes_before_the_keyring(keyring: MemoryKeyring) -> None:
    keyring.entries["spotui", "m"] = "from-the-keyring"
    both = ModelConfig(api_key_env="MY_KEY", api_key_keyring=True)
    found = configured_key("m", both, {"MY_KEY": KEY})
    assert found is not None
    assert found.reveal() == KEY
    found = configured_key("m", both, {"MY_KEY": " "})
    assert found is not None
    assert found.reveal() == "from-the-keyring"


def test_a_place_that_holds_no_key_is_an_error_with_its_name(keyring: MemoryKeyring) -> None:
    with pytest.raises(SettingsError, match="MY_KEY is not set") as caught:
        configured_key("m", ModelConfig(api_key_env="MY_KEY"), {"OPENAI_API_KEY": KEY})
    assert "export MY_KEY" in caught.value.hint
    with pytest.raises(SettingsError, match="keyring holds no key for m"):
        configured_key("m", ModelConfig(api_key_keyring=True), {})
    assert configured_key("m", ModelConfig(), {"OPENAI_API_KEY": KEY}) is None


def test_a_key_is_stored_read_replaced_and_deleted(keyring: MemoryKeyring) -> None:
    assert read_key("gpt-4o") is None
    assert not delete_key("gpt-4o")
    store_key("gpt-4o", Secret("first"))
    store_key("gpt-4o", Secret(KEY))
    assert keyring.entries == {("spotui", "gpt-4o"): KEY}
    found = read_key("gpt-4o")
    assert found is not None
    assert found.reveal() == KEY
    assert delete_key("gpt-4o")
    assert keyring.entries == {}


def test_a_keyring_that_fails_is_an_error_without_the_key(keyring: MemoryKeyring) -> None:
    keyring.broken = RuntimeError(f"cannot store {KEY}")
    for action in (lambda: store_key("m", Secret(KEY)), lambda: read_key("m"), lambda: delete_key("m")):
        with pytest.raises(SettingsError, match="RuntimeError") as caught:
            action()
        assert "api_key_env" in caught.value.hint
        assert KEY not in "".join(traceback.format_exception(caught.value))


def test_a_keyring_that_keeps_nothing_is_noticed(keyring: MemoryKeyring) -> None:
    keyring.keeps = False
    with pytest.raises(SettingsError, match="did not keep it"):
        store_key("m", Secret(KEY))


def test_a_missing_keyring_says_how_to_add_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SettingsError) as caught:
        read_key("m")
    assert "spotui[keyring]" in caught.value.hint
