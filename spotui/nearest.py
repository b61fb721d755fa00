"""What a person probably meant by a word that nothing is called."""

from collections.abc import Iterable


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that is spelt most like `word`, or None when none is near.

    Args:
        word: What was written; case, `-` and `_` make no difference.
        choices: What could have been meant.
    """
    import difflib

    by_folded = {_fold(choice): choice for choice in choices}
    found = difflib.get_close_matches(_fold(word), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def _fold(word: str) -> str:
    return word[:200].casefold().replace("-", "_")
