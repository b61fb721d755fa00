"""A field for a variable's name, into which no key can be pasted."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import msgspec
from msgspec import structs
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from spotui.domain.errors import SpotuiError
from spotui.domain.figures import duration
from spotui.lang import N_, _, anew
from spotui.settings.config_file import ModelConfig, PriceConfig
from spotui.settings.table import text_of
from spotui.settings.values import KindError, ModelId, convert_text
from spotui.tui.child import ask
from spotui.tui.dialogs import FieldDialog, field_keys, row, text_field

if TYPE_CHECKING:
    from textual.worker import Worker


class VariableInput(Input):
    """Takes capitals, digits and underscores: a key holds small letters, and would be seen here."""

    class Refused(Message):
        """Something else was typed or pasted."""

    def __init__(self, value: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            value,
            placeholder=_("an environment variable, e.g. MY_API_KEY"),
            id=id,
            compact=True,
            restrict=r"([A-Z_][A-Z0-9_]*)?",
        )

    def restricted(self) -> None:
        """Report that nothing was written."""
        self.post_message(self.Refused())


_NAMES = {
    "model": N_("The model"),
    "base_url": N_("The endpoint"),
    "api_key_env": N_("The variable"),
    "concurrency": N_("At once"),
    "requests_per_minute": N_("Requests a minute"),
    "tokens_per_minute": N_("Tokens a minute"),
    "timeout": N_("The timeout"),
    "input": N_("The price of the prompt"),
    "output": N_("The price of the reply"),
}
_KINDS = {
    "model": ModelId,
    **{field.name: field.type for field in (*structs.fields(ModelConfig), *structs.fields(PriceConfig))},
}


class FieldError(SpotuiError):
    """A field that holds something wrong.

    Args:
        field: Which one.
        what: What is wrong.
        hint: What to do about it.
    """

    def __init__(self, field: str, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.field = field


class Endpoint(NamedTuple):
    """What was typed; an empty text is the usual value.

    Attributes:
        model: The model's id.
        base_url: Its endpoint.
        api_key_env: The variable that holds its key.
        concurrency: Calls in flight; the others alike.
        requests_per_minute: See `concurrency`.
        tokens_per_minute: See `concurrency`.
        timeout: Seconds without a token.
        input: USD per million tokens of the prompt.
        output: USD per million tokens of the reply.
    """

    model: str = ""
    base_url: str = ""
    api_key_env: str = ""
    concurrency: str = ""
    requests_per_minute: str = ""
    tokens_per_minute: str = ""
    timeout: str = ""
    input: str = ""
    output: str = ""

    def words(self, *, has_key: bool) -> list[str]:
        """As words of the command line, which everybody on this machine can read: no key is among them.

        Args:
            has_key: Whether its key belongs into the keyring; a key that was typed goes another way.

        Raises:
            FieldError: A field holds something wrong, such as a key in place of a variable's name.
        """
        self._check()
        flags = {
            "--base-url": self.base_url,
            # A variable would win over the keyring, and the key that was typed would never be used.
            "--api-key-env": "" if has_key else self.api_key_env,
            "--concurrency": self.concurrency,
            "--requests-per-minute": self.requests_per_minute,
            "--tokens-per-minute": self.tokens_per_minute,
            "--timeout": self.timeout,
        }
        words = [f"{flag}={value}" for flag, value in flags.items() if value]
        if self.input:
            words += ["--price", self.input, self.output]
        if has_key:
            words.append("--keyring")
        return [*words, "--", self.model]

    def _check(self) -> None:
        for field, label in _NAMES.items():
            name = _(label)
            text = getattr(self, field)
            try:
                if text or field == "model":
                    convert_text(_KINDS[field], text)
            except KindError as error:
                raise FieldError(field, error.about(name), error.hint) from None
        if bool(self.input) != bool(self.output):
            missing = "output" if self.input else "input"
            raise FieldError(
                missing, _("A price has two parts."), _("Type what prompt and reply cost, or neither.")
            )


def endpoint_of(model: str, entry: ModelConfig) -> Endpoint:
    """A model's entry as it is typed."""
    price = entry.price
    return Endpoint(
        model=model,
        base_url=entry.base_url or "",
        api_key_env=entry.api_key_env or "",
        concurrency=_text(entry.concurrency),
        requests_per_minute=_text(entry.requests_per_minute),
        tokens_per_minute=_text(entry.tokens_per_minute),
        timeout=_text(entry.timeout),
        input=_text(price.input) if price else "",
        output=_text(price.output) if price else "",
    )


def _text(value: object) -> str:
    return "" if value is None else text_of(value)


class Price(msgspec.Struct):
    """USD per million tokens."""

    input: float
    output: float


class _Told(msgspec.Struct):
    reply: str
    seconds: float
    is_priced: bool
    price: Price | None = None


class Answer(NamedTuple):
    """What came of it.

    Attributes:
        took: How long the answer took, as a person reads it.
        line: All of it on one line.
        is_priced: Whether it is known what a call costs.
    """

    took: str
    line: str
    is_priced: bool


async def probe(words: Sequence[str], key: str = "") -> Answer | None:
    """Ask as `spotui models WORDS` does.

    Args:
        words: What to ask, such as `test gpt-4o`.
        key: The key that was typed; it goes through standard input and nowhere else.

    Returns:
        The answer, or None when nobody was asked.

    Raises:
        SpotuiError: No answer came, and why.
    """
    told = await ask(["models", *words[:1], "--json", *words[1:]], stdin=f"{key}\n" if key else "")
    if told.fault:
        raise SpotuiError(told.fault)
    if not told.out.strip():
        return None
    found = msgspec.json.decode(told.out, type=_Told)
    took = duration(found.seconds)
    return Answer(
        took,
        _(
            "It answered {reply!r} in {took}; {price}.",
            reply=found.reply[:40],
            took=took,
            price=_price(found),
        ),
        found.is_priced,
    )


def _price(reply: _Told) -> str:
    if reply.price is None:
        return _("what a call costs is known") if reply.is_priced else _("its price is unknown")
    if not reply.price.input and not reply.price.output:
        return _("it costs nothing")
    return _(
        "${input:g} and ${output:g} a million tokens", input=reply.price.input, output=reply.price.output
    )


_LIMITS = (
    ("concurrency", N_("At once"), N_("usual")),
    ("requests_per_minute", N_("requests a minute"), N_("any")),
    ("tokens_per_minute", N_("tokens a minute"), N_("any")),
)
_TIME = (("timeout", N_("Timeout"), N_("usual")),)
_PRICE = (("input", N_("Price in"), N_("?")), ("output", N_("and out"), N_("?")))
_A_NAME = N_("A variable's name is written in capitals, e.g. MY_API_KEY. A key goes into the field below.")


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
        self._said = ("", "")

    def compose(self) -> ComposeResult:
        """The fields, and what came of the test."""
        first = self._first
        with Vertical() as box:
            box.border_title = Content(first.model or _("A new model"))
            box.border_subtitle = _("enter tests and saves, ^t only tests, ^s only saves, escape cancels")
            model = text_field("model", first.model, _("e.g. gpt-4o-mini, or what your server calls it"))
            model.disabled = bool(first.model)
            yield row(_("Model"), model)
            endpoint = text_field(
                "base_url", first.base_url, _("http://localhost:8000/v1; empty: its usual one")
            )
            yield row(_("Endpoint"), endpoint)
            variable = VariableInput(first.api_key_env, id="api_key_env")
            variable.cursor_blink = False
            yield row(_("Key in"), variable)
            key = text_field("key", "", self._place_of_key())
            key.password = True
            yield row(_("or the key"), key)
            yield from _several(_LIMITS, first, "")
            yield from _several(_TIME, first, _("seconds without a token"))
            yield from _several(_PRICE, first, _("USD a million tokens; empty: looked up"))
            yield Static(id="told", markup=False)

    def on_mount(self) -> None:
        """Begin with what is not known yet."""
        self.query_one("#base_url" if self._first.model else "#model").focus()

    def fill(self) -> None:
        """Show what came of the test."""
        text, style = self._said
        self._tell(anew(text), style)

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong may be right now."""
        event.stop()
        if self._asking is None or self._asking.is_finished:
            self._tell("")

    def on_variable_input_refused(self, event: VariableInput.Refused) -> None:
        """Say what can stand there."""
        event.stop()
        self._tell(_(_A_NAME), "$text-warning")

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
            self._tell(_("Given up."))
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
        self._tell(_("Saving…") if "--no-test" in words else _("Asking it…"))
        try:
            answer = await probe(["add", *words], key)
        except SpotuiError as error:
            self._tell(str(error), "$text-error")
            return
        if "--dry-run" not in words:
            said = answer.line if answer is not None else _("It is saved, untested.")
            self.notify(said, title=self.typed.model, markup=False)
            self.dismiss(self.typed.model)
        elif answer is not None:
            hint = "" if answer.is_priced else _(" Type its price, or no budget in USD can be kept.")
            self._tell(answer.line + hint, "$text-success" if answer.is_priced else "$text-warning")

    def _place_of_key(self) -> str:
        if self._has_stored_key:
            return _("is in the system keyring; type another to replace it")
        if find_spec("keyring") is None:
            return _("into the system keyring, with: pip install 'spotui[keyring]'")
        return _("into the system keyring, never into a file")

    def _tell(self, text: str, style: str = "") -> None:
        self._said = text, style
        self.query_one("#told", Static).update(Content.styled(text, style))


def _several(fields: tuple[tuple[str, str, str], ...], first: Endpoint, meaning: str) -> ComposeResult:
    with Horizontal(classes="several"):
        for number, (field, label, usual) in enumerate(fields):
            yield Label(_(label), classes="" if number else "first")
            yield text_field(field, getattr(first, field), _(usual))
        yield Label(meaning)
