"""What a judge is called, so that nobody takes one kind for another."""

from typing import Final

_KINDS: Final = {
    "balanced": "reasoned votes, three of four in both orders",
    "thorough": "reasoned votes, a lead of five of up to ten in both orders",
    "reference": "reasoned votes, four in orders by chance, as SPO's reference has them",
    "likelihood": "how likely the requirements make each answer; no reasoning, no order",
    "logprob": "the probability of one letter against the other in both orders; no reasoning",
}


def judge_in_words(judge: str, unit: str, *, json: bool) -> str:
    """A judge's kind in a few words.

    Args:
        judge: The setting of that name.
        unit: `set` or `row`.
        json: Whether votes are JSON.
    """
    words = [f"{judge} ({_KINDS.get(judge, 'unknown')})"]
    if unit == "row" or judge == "likelihood":
        words.append("question by question")
    if json and judge not in {"likelihood", "logprob"}:
        words.append("votes as JSON")
    return ", ".join(words)
