"""One model's endpoint, key, limits and price, with a test of the connection."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from spotui.errors import SpotuiError
from spotui.tui.dialog import FieldDialog, field_keys, row, text_field
from spotui.tui.models.endpoint import Endpoint, FieldError
from spotui.tui.models.probing import probe
from spotui.tui.models.variable_input import VariableInput

if TYPE_CHECKING:
    from textual.worker import Worker

_LIMITS = (
    ("concurrency", "At once", "usual"),
    ("requests_per_minute", "requests a minute", "any"),
    ("tokens_per_minute", "tokens a minute", "any"),
)
_TIME = (("timeout", "Timeout", "usual"),)
_PRICE = (("input", "Price in", "?"), ("output", "and out", "?"))
_A_NAME = "A variable's name is written in capitals, such as MY_API_KEY. A key goes into the field below."


class EndpointScreen(FieldDialog[str]):
    """Adds or changes a model; gives back its id once it is written, or an empty text.

    Args:
        endpoint: What stands in the fields at first; with a model in it, it is that one's.
        has_stored_key: Whether its key is in the keyring already.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="model.back", priority=True),
        Binding("ctrl+t", "test", "test, write nothing", id="model.test"),
        Binding("ctrl+s", "save", "save untested", id="model.save"),
        *field_keys("model"),
    ]

    DEFAULT_CSS = """
    EndpointScreen {
        & > Vertical { width: 78; }
        & Label { width: 14; }
        & Horizontal.several Label { width: auto; margin: 0 1 0 1; }
        & Horizontal.several Label.first { width: 14; margin: 0; }
        & Horizontal.several Input { max-width: 9; }
        & #told { height: auto; min-height: 3; max-height: 8; margin: 1 0 0 0; }
    }
    """

    def __init__(self, endpoint: Endpoint, *, has_stored_key: bool = False) -> None:
        super().__init__()
        self._first = endpoint
        self._has_stored_key = has_stored_key
        self._asking: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """The fields, and what came of the test."""
        first = self._first
        with Vertical() as box:
            box.border_title = Content(first.model or "A new model")
            box.border_subtitle = "enter tests and saves, ctrl+t only tests, ctrl+s only saves"
            model = text_field("model", first.model, "such as gpt-4o-mini, or what your server calls it")
            model.disabled = bool(first.model)
            yield row("Model", model)
            endpoint = text_field(
                "base_url", first.base_url, "http://localhost:8000/v1; empty: its usual one"
            )
            yield row("Endpoint", endpoint)
            variable = VariableInput(first.api_key_env, id="api_key_env")
            variable.cursor_blink = False
            yield row("Key in", variable)
            key = text_field("key", "", self._place_of_key())
            key.password = True
            yield row("or the key", key)
            yield from _several(_LIMITS, first, "")
            yield from _several(_TIME, first, "seconds without a token")
            yield from _several(_PRICE, first, "USD a million tokens; empty: looked up")
            yield Static(id="told", markup=False)

    def on_mount(self) -> None:
        """Begin with what is not known yet."""
        self.query_one("#base_url" if self._first.model else "#model").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong may be right now."""
        event.stop()
        if self._asking is None or self._asking.is_finished:
            self._tell("")

    def on_variable_input_refused(self, event: VariableInput.Refused) -> None:
        """Say what can stand there."""
        event.stop()
        self._tell(_A_NAME, "$text-warning")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Test it, and write it if it answers."""
        event.stop()
        self._begin([])

    def action_test(self) -> None:
        """Test it, and write nothing."""
        self._begin(["--dry-run"])

    def action_save(self) -> None:
        """Write it, whether it answers or not."""
        self._begin(["--no-test"])

    def action_back(self) -> None:
        """Leave; a test that is under way is given up first."""
        if self._asking is not None and not self._asking.is_finished:
            self._asking.cancel()
            self._tell("Given up.")
        else:
            self.dismiss("")

    @property
    def typed(self) -> Endpoint:
        """What stands in the fields, the key apart."""
        return Endpoint(**{field: self.typed_in(field) for field in Endpoint._fields})

    def _begin(self, how: list[str]) -> None:
        if self._asking is not None and not self._asking.is_finished:
            return
        key = self.typed_in("key")
        typed = self.typed
        keeps_key = self._has_stored_key and not typed.api_key_env
        try:
            words = typed.words(has_key=bool(key) or keeps_key)
        except FieldError as error:
            self.query_one(f"#{error.field}").focus()
            self._tell(str(error), "$text-error")
            return
        self._asking = self.run_worker(self._ask([*how, *words], key), group="ask")

    async def _ask(self, words: list[str], key: str) -> None:
        self._tell("Saving…" if "--no-test" in words else "Asking it…")
        try:
            answer = await probe(["add", *words], key)
        except SpotuiError as error:
            self._tell(str(error), "$text-error")
            return
        if "--dry-run" not in words:
            said = answer.line if answer is not None else "It is saved, untested."
            self.notify(said, title=self.typed.model, markup=False)
            self.dismiss(self.typed.model)
        elif answer is not None:
            mend = "" if answer.is_priced else " Type its price, or no budget in USD can be kept."
            self._tell(answer.line + mend, "$text-success" if answer.is_priced else "$text-warning")

    def _place_of_key(self) -> str:
        if self._has_stored_key:
            return "is in the system keyring; type another to replace it"
        if find_spec("keyring") is None:
            return "into the system keyring, with: pip install 'spotui[keyring]'"
        return "into the system keyring, never into a file"

    def _tell(self, text: str, style: str = "") -> None:
        self.query_one("#told", Static).update(Content.styled(text, style))


def _several(fields: tuple[tuple[str, str, str], ...], first: Endpoint, meaning: str) -> ComposeResult:
    with Horizontal(classes="several"):
        for number, (field, label, usual) in enumerate(fields):
            yield Label(label, classes="" if number else "first")
            yield text_field(field, getattr(first, field), usual)
        yield Label(meaning)
