"""Answers questions about a handbook in two steps: find passages, then let a model answer from them.

By hand, with the prompt in prompt.txt: `python agent.py "How many spaces does the garage have?"`.
Without a question it reads requests of spotui from standard input, one a line, and answers one a line.

The model is the one that HANDBOOK_MODEL names, at OPENAI_BASE_URL and with OPENAI_API_KEY. Where none is
named, a stand-in answers: it copies the best sentence, or its number where the prompt asks for a number.
"""

import json
import os
import re
import sys
from pathlib import Path
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
PASSAGES = HERE.joinpath("passages.txt").read_text("utf-8").splitlines()
COMMON = {"a", "an", "and", "at", "do", "does", "for", "from", "have", "i", "in", "is", "of", "the", "what"}


def words(text):
    """The words of a text that say something, without the endings of plurals."""
    return {word.rstrip("s") for word in re.findall(r"[a-z]+", text.lower()) if word not in COMMON}


def likeness(question, text):
    """How much of a question is in a text; longer texts have more by chance."""
    return len(words(question) & words(text)) / len(words(text)) ** 0.5


def retrieve(question, count=3):
    """Step 1: the passages that have most words of the question."""
    return sorted(PASSAGES, key=lambda passage: likeness(question, passage), reverse=True)[:count]


def ask_model(prompt, passages, question):
    """Step 2, with a model."""
    text = "\n".join([prompt, "", *passages, "", question])
    body = {"model": os.environ["HANDBOOK_MODEL"], "messages": [{"role": "user", "content": text}]}
    base = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1").rstrip("/")
    key = os.environ.get("OPENAI_API_KEY", "none")
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = Request(f"{base}/chat/completions", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=60) as response:
        reply = json.load(response)
    usage = reply.get("usage") or {}
    counts = {name: usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens")}
    return {"answer": reply["choices"][0]["message"]["content"], **counts}


def stand_in(prompt, passages, question):
    """Step 2, without a model; it is free, and says so."""
    sentences = [each for passage in passages for each in re.split(r"(?<=\.) ", passage)]
    best = max(sentences, key=lambda sentence: likeness(question, sentence))
    asks_for_number = re.search(r"\b(number|digits?|figure)\b", prompt, re.IGNORECASE)
    number = re.search(r"\d+", best)
    return {"answer": number[0] if asks_for_number and number else best, "cost_usd": 0}


def answer(prompt, question):
    """Both steps."""
    passages = retrieve(question)
    step = ask_model if os.environ.get("HANDBOOK_MODEL") else stand_in
    titles = [passage.partition(":")[0] for passage in passages]
    return {**step(prompt, passages, question), "trace": {"passages": titles}}


def main():
    """Answer the question of the command line, or requests until there are no more."""
    if len(sys.argv) > 1:
        print(answer(HERE.joinpath("prompt.txt").read_text("utf-8"), sys.argv[1])["answer"])
        return
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            found = answer(asked["prompt"], asked["question"])
        except OSError as error:  # the model cannot be reached: an error of this question
            found = {"error": str(error)}
        print(json.dumps({"id": asked["id"], **found}), flush=True)


if __name__ == "__main__":
    main()
