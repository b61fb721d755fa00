"""The root of every error that spotui raises on purpose, faults of a template, and limits of the system."""

import errno
import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from spotui.lang import N_, _

_NO_MEMORY: Final = ("cannot allocate memory", "failed to map segment", "can't start new thread")
"""Words of errors that have no type or number: of the dynamic linker, and of Python's threads."""

_CLOSE_OTHERS: Final = N_("Close other programs and try again.")


class SpotuiError(Exception):
    """An error a person can act on.

    Args:
        what: What happened and where, one sentence.
        hint: What to do about it, one sentence; empty when there is nothing to do.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what} {hint}".rstrip())
        self.what = what
        self.hint = hint


class KeyFault(NamedTuple):
    """One fault in a part of a template.

    Attributes:
        path: The keys that lead to it, from that part on; empty for the part itself.
        what: The fault, one sentence.
        hint: How to fix it.
    """

    path: tuple[str, ...]
    what: str
    hint: str


def limit_reached(error: BaseException) -> SpotuiError | None:
    """The limit of this process that an error comes from, with what to do about it; None for other errors.

    Args:
        error: What was raised; the limit may be behind it, or one of several.
    """
    for one in causes(error):
        if isinstance(one, OSError) and one.errno == errno.EMFILE:
            most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            return SpotuiError(
                _("Too many files are open: this process may open {most:,} at once (ulimit -n).", most=most),
                _("Raise the limit, for example with 'ulimit -n 1024', and try again."),
            )
        if isinstance(one, OSError) and one.errno == errno.ENFILE:
            return SpotuiError(
                _("Too many files are open on this machine."), _("Close other programs and try again.")
            )
        if isinstance(one, MemoryError) or _is_out_of_memory(one):
            most = resource.getrlimit(resource.RLIMIT_AS)[0]
            if most == resource.RLIM_INFINITY:
                return SpotuiError(_("The memory is used up."), _(_CLOSE_OTHERS))
            return SpotuiError(
                _("The memory is used up: this process may take {most:,} KiB (ulimit -v).", most=most >> 10),
                _("Raise the limit, for example with 'ulimit -v unlimited', and try again."),
            )
    return None


def check_files(needed: int) -> None:
    """Make sure that so many files may be open at once.

    Raises:
        OSError: The limit of this process is lower.
    """
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < needed:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def check_memory(needed: int) -> None:
    """Make sure that there is memory for a library that would end the whole process for want of it.

    Args:
        needed: Bytes of address space.

    Raises:
        MemoryError: The limit of this process is too low.
    """
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most == resource.RLIM_INFINITY:
        return
    with suppress(OSError), open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib costs start-up time
        taken = int(file.read().split()[0]) * resource.getpagesize()
        if taken + needed > most:
            raise MemoryError


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    if isinstance(error, SystemError):  # C code that runs out of memory while it reports that it did
        return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
    words = str(error).casefold() if isinstance(error, (ImportError, OSError, RuntimeError)) else ""
    return any(one in words for one in _NO_MEMORY)


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, those it holds, and those it was raised for."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that is spelt most like `word`, first the one with its letters in another order; or None.

    Args:
        word: What was written; case, `-` and `_` make no difference.
        choices: What could have been meant.
    """
    import difflib

    by_folded = {_fold(choice): choice for choice in choices}
    found = difflib.get_close_matches(_fold(word), by_folded, n=3, cutoff=0.6)
    swapped = [one for one in found if sorted(one) == sorted(_fold(word))]
    return by_folded[(swapped or found)[0]] if found else None


def _fold(word: str) -> str:
    return word[:200].casefold().replace("-", "_")
