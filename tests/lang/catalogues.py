"""Catalogues that a test makes."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo


def write_catalogue(path: Path, translations: dict[str | tuple[str, str], str | tuple[str, str]]) -> Path:
    """Compile a catalogue to `path`, by English sentences; two of them where they depend on a number."""
    catalogue = Catalog(locale="de")
    for sentence, translated in translations.items():
        catalogue.add(sentence, translated)
    with path.open("wb") as file:
        write_mo(file, catalogue)
    return path
