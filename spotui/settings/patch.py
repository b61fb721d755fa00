"""Doing a change to a text once more, on a text that has been changed elsewhere meanwhile."""

from difflib import SequenceMatcher


def patched(text: str, old: str, new: str) -> str | None:
    """What the text is with the change that leads from `old` to `new`.

    Args:
        text: What `old` has become.
        old: A text.
        new: What was made of it, or what it was made from.

    Returns:
        The text, or None when the lines that change, or those around them, are not there any more.
    """
    ours, before, after = (one.splitlines(keepends=True) for one in (text, old, new))
    place = {
        block.a + offset: block.b + offset
        for block in SequenceMatcher(None, before, ours, autojunk=False).get_matching_blocks()
        for offset in range(block.size)
    }
    place[-1], place[len(before)] = -1, len(ours)
    for tag, start, end, first, last in reversed(
        SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    ):
        if tag == "equal":
            continue
        touched = [place.get(line) for line in range(start - 1, end)]
        if touched[0] is None or touched != list(range(touched[0], touched[0] + len(touched))):
            return None
        ours[touched[0] + 1 : touched[0] + len(touched)] = after[first:last]
    return "".join(ours)
