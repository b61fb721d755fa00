"""Compiled catalogues (`.mo`), in which sentences are looked up one by one.

Python's gettext reads a whole catalogue, which takes the start of every command some 20 ms; here only the
sentences that are shown are read, by binary search in the sorted table that the format has for it.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, Literal

_MAGIC: Final = 0x950412DE
_ENTRY: Final = 8


class Catalogue:
    """The translations of one language.

    Args:
        data: A compiled catalogue.
        name: The language.

    Raises:
        ValueError: It is none.
    """

    def __init__(self, data: bytes, name: str = "") -> None:
        self.name = name
        orders: tuple[Literal["little", "big"], ...] = ("little", "big")
        order = next((one for one in orders if int.from_bytes(data[:4], one) == _MAGIC), None)
        if order is None:
            raise ValueError("it does not begin as a compiled catalogue does")
        count, codes, texts = (int.from_bytes(data[at : at + 4], order) for at in (8, 12, 16))
        if len(data) < max(codes, texts) + _ENTRY * count:
            raise ValueError("its tables end too early")
        self._data, self._order, self._count = data, order, count
        self._codes, self._texts = codes, texts
        self._known: dict[str, tuple[str, ...]] = {}
        self._rule = self._read_rule()

    def text(self, code: str) -> str:
        """The translation of a sentence; the sentence itself where there is none."""
        forms = self._forms(code)
        return forms[0] if forms else code

    def plural(self, code: str, plural: str, number: int) -> str:
        """The translation of a sentence for a number; the English one where there is none."""
        forms = self._forms(code)
        form = self._form(number) if forms else 0
        return forms[form] if form < len(forms) else (code if number == 1 else plural)

    def codes(self) -> Iterator[tuple[str, str]]:
        """Every sentence with the one for other numbers than 1, which is empty where there is none."""
        for place in range(self._count):
            try:
                code, _unused, plural = self._entry(self._codes, place).decode().partition("\0")
            except ValueError:
                continue
            yield code, plural

    def _forms(self, code: str) -> tuple[str, ...]:
        if (known := self._known.get(code)) is None:
            try:
                known = self._look_up(code)
            except ValueError:  # it is damaged there; a half of a character is one of its kinds
                known = ()
            self._known[code] = known
        return known

    def _look_up(self, code: str) -> tuple[str, ...]:
        key = code.encode()
        place = bisect_left(range(self._count), key, key=self._code)
        if place == self._count or self._code(place) != key:
            return ()
        return tuple(self._entry(self._texts, place).decode().split("\0"))

    def _code(self, index: int) -> bytes:
        return self._entry(self._codes, index).partition(b"\0")[0]

    def _entry(self, table: int, index: int) -> bytes:
        at = table + _ENTRY * index
        length = int.from_bytes(self._data[at : at + 4], self._order)
        start = int.from_bytes(self._data[at + 4 : at + _ENTRY], self._order)
        if start + length > len(self._data):
            raise ValueError("an entry lies behind the end")
        return self._data[start : start + length]

    def _form(self, number: int) -> int:
        if self._rule == "0":
            return 0
        from gettext import c2py

        form: int = c2py(self._rule)(number)
        return form

    def _read_rule(self) -> str:
        """Which form a number takes, as an expression in C; 0 for a language with one form."""
        header = "\n".join(self._forms(""))
        line = next((line for line in header.splitlines() if line.lower().startswith("plural-forms:")), "")
        return "0" if "nplurals=1;" in line else line.partition("plural=")[2].strip(" ;") or "n != 1"


def read_catalogue(path: str) -> Catalogue | None:
    """The catalogue at a path; None where there is none, or it is damaged."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs start-up time
            return Catalogue(file.read(), path.replace("\\", "/").rpartition("/")[2].partition(".")[0])
    except (OSError, ValueError):
        return None
