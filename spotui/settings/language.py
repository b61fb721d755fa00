"""The language that the user wants: a flag, a variable, the config file, or the system's locale."""

import os
import stat
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from spotui import lang
from spotui.domain.errors import SpotuiError
from spotui.lang import _

FLAG: Final = "--lang"

_MOST_BYTES: Final = 1_048_576


class UnknownLanguageError(SpotuiError):
    """A language that has no catalogue."""


def choose_language(words: Sequence[str] = ()) -> None:
    """Show everything from now on in the language that was chosen, the most special choice first.

    Args:
        words: What was typed; the value of `--lang` in it is used.

    Raises:
        UnknownLanguageError: The flag names a language that has no catalogue.
    """
    if typed := typed_language(words):
        if not lang.is_language(typed):
            lang.use(saved_language())
            raise UnknownLanguageError(
                _("Unknown language {language!r}.", language=typed),
                _("Choose one of: {languages}.", languages=", ".join(lang.languages())),
            )
        os.environ[lang.VARIABLE] = typed  # the processes that this one starts speak it as well
        lang.use()
    else:
        lang.use("" if lang.VARIABLE in os.environ else saved_language())


def typed_language(words: Sequence[str]) -> str:
    """The value of `--lang`, the last one; empty when it was not typed."""
    typed = ""
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        if word == "--":
            break
        if word == FLAG:
            typed = after
        elif word.startswith(f"{FLAG}="):
            typed = word.removeprefix(f"{FLAG}=")
    return typed


def without_language(words: Sequence[str]) -> list[str]:
    """What was typed, without `--lang` and its value before the verb."""
    rest = list(words)
    while rest and (rest[0] == FLAG or rest[0].startswith("--")):
        del rest[: 2 if rest[0] == FLAG else 1]
    return rest


def saved_language() -> str:
    """The language of the config file; empty when there is none in it.

    Every start reads it, so no YAML is loaded for this one line; the whole file is checked where it is used.
    """
    from spotui.settings import locations

    try:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would be waited for
        with os.fdopen(os.open(locations.config_file(), flags), "rb") as file:
            is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            lines = file.read(_MOST_BYTES).decode().splitlines() if is_file else []
    except (OSError, ValueError, SpotuiError):
        return ""
    line = next((line for line in lines if line.startswith("language:")), "")
    return line.removeprefix("language:").partition(" #")[0].strip().strip("'\"")
