"""What a listener may tell a run: one JSON object a line, the other direction of the wire (docs/wire.md)."""

from typing import Annotated, Literal, get_args

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.lang import as_english

Number = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
"""The number of a round or a question; no run has more."""


class CommandError(SpotuiError):
    """A line that is no command."""


class Command(msgspec.Struct, frozen=True, tag_field="command", forbid_unknown_fields=True):
    """Any command."""


class Pause(Command, frozen=True, tag="pause"):
    """Send no new call; those in flight finish. `at` candidate: pause once the next candidate is there."""

    at: Literal["now", "candidate"] = "now"


class Resume(Command, frozen=True, tag="resume"):
    """Go on after a pause; a call that failed is tried again."""


class Stop(Command, frozen=True, tag="stop"):
    """Give the calls in flight some seconds to finish, keep the best, and end."""


class SetBudget(Command, frozen=True, tag="budget"):
    """Change what the whole run may cost; null lifts a limit, a missing one stays."""

    usd: float | msgspec.UnsetType | None = msgspec.UNSET
    tokens: int | msgspec.UnsetType | None = msgspec.UNSET
    calls: int | msgspec.UnsetType | None = msgspec.UNSET
    minutes: float | msgspec.UnsetType | None = msgspec.UNSET

    def __post_init__(self) -> None:
        if not any(value is not msgspec.UNSET for value in msgspec.structs.astuple(self)):
            raise ValueError("`budget` names at least one of usd, tokens, calls, minutes")


class SetConcurrency(Command, frozen=True, tag="concurrency"):
    """Change how many calls may be in flight at each endpoint, from now on."""

    calls: int


class SetRounds(Command, frozen=True, tag="rounds"):
    """Change how many rounds are wanted, the seed included."""

    rounds: int


class Vote(Command, frozen=True, tag="vote"):
    """A person's vote in the duel of a round.

    `left` and `right` are the sides that `duel_opened` names, `win` and `loss` are the candidate's. With a
    `question` it is about the answers to that one alone; one that `outranks` decides alone.
    """

    round: Number
    choice: Literal["win", "loss", "tie", "left", "right"]
    question: Number | None = None
    outranks: bool = False


class Edit(Command, frozen=True, tag="edit"):
    """A person's text for a round's candidate, before it is executed."""

    round: Number
    prompt: str


class Override(Command, frozen=True, tag="override"):
    """A person's verdict over a round, in force from the next round on."""

    round: Number
    outcome: Literal["win", "loss"]


class Hint(Command, frozen=True, tag="hint"):
    """A person's hint to the optimizer for the candidates from the next round on; an empty one ends it."""

    text: str


AnyCommand = Pause | Resume | Stop | SetBudget | SetConcurrency | SetRounds | Vote | Edit | Override | Hint

_encoder = msgspec.json.Encoder(enc_hook=as_english)
_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)
_names = ", ".join(sorted(str(kind.__struct_config__.tag) for kind in get_args(AnyCommand)))


def encode_command(command: Command) -> bytes:
    """One line of the wire, with its line end."""
    return _encoder.encode(command) + b"\n"


def decode_command(line: bytes) -> AnyCommand:
    """The command a line holds.

    Raises:
        CommandError: It is not one.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CommandError(f"Not a command: {error}.", f"The commands are {_names}.") from None
