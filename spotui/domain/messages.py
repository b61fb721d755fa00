"""What is said to a model: messages, who speaks, and where a prompt can stand among them."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, get_args

import msgspec

Speaker = Literal["system", "user", "assistant", "tool"]
SPEAKERS: Final[tuple[Speaker, ...]] = get_args(Speaker)

Position = Literal["system", "before_question", "question_start", "question_end", "answer_start"]
POSITIONS: Final[tuple[Position, ...]] = get_args(Position)
"""In the system message, before the question, at its start, at its end, or where the answer begins; all but
the first are GPO's (arXiv 2402.17564, section 3.1)."""


JudgedOn = Literal["conversation", "last_answer"]
JUDGED_ON: Final[tuple[JudgedOn, ...]] = get_args(JudgedOn)
"""What of a conversation is judged and marked."""


class Attachment(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An image or another file that is sent with a message.

    Attributes:
        name: What it is called on screen and in texts.
        media: Its media type, e.g. `image/png`.
        url: Where the endpoint fetches it from, https; or the file itself as a data URL, in requests on their
            way only.
        sha256: Of the file, where it is kept here; empty for one that is fetched.
        size: Of the file, in bytes; 0 for one that is fetched.
    """

    name: str
    media: str
    url: str = ""
    sha256: str = ""
    size: int = 0

    @property
    def is_image(self) -> bool:
        """Whether models look at it, rather than read it."""
        return self.media.startswith("image/")

    def __str__(self) -> str:
        """How a text shows it: `[image: cat.png]`."""
        return f"[{'image' if self.is_image else 'file'}: {self.name}]"


class Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One turn of a conversation.

    Attributes:
        role: Who speaks; `tool` is the result of a call that the assistant made.
        content: What is said; may be empty beside tool calls and files.
        files: What is sent with it, in its order, before the text.
        tool_calls: The calls that the assistant makes, as a JSON list in the form of OpenAI's API.
        tool_call_id: The call that a tool's result belongs to.
    """

    role: Speaker
    content: str
    files: tuple[Attachment, ...] = ()
    tool_calls: str = ""
    tool_call_id: str = ""

    @property
    def shown(self) -> str:
        """All of it as text: files by name, tool calls as they are."""
        return "\n".join([*map(str, self.files), *filter(None, (self.content, self.tool_calls))])


def user(text: str) -> Message:
    """A message from the user's side."""
    return Message("user", text)


def with_one_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with the texts of all system messages in the first; many endpoints take no second one."""
    texts = [one.content for one in messages if one.role == "system"]
    if len(texts) < 2:
        return tuple(messages)
    first = next(index for index, one in enumerate(messages) if one.role == "system")
    others = [one for one in messages[first:] if one.role != "system"]
    return (*messages[:first], Message("system", "\n\n".join(texts)), *others)


def without_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with the texts of system messages in front of the first message of the user."""
    texts = [one.content for one in messages if one.role == "system"]
    found = [one for one in messages if one.role != "system"]
    if not texts:
        return tuple(found)
    at = next((index for index, one in enumerate(found) if one.role == "user"), None)
    if at is None:
        return (user("\n\n".join(texts)), *found)
    text = "\n\n".join(filter(None, [*texts, found[at].content]))
    found[at] = msgspec.structs.replace(found[at], content=text)
    return tuple(found)


def transcript(messages: Iterable[Message]) -> str:
    """A conversation as one text: the speaker, a colon, what is said, and an empty line between turns."""
    return "\n\n".join(f"{one.role.capitalize()}: {one.shown}" for one in messages)
