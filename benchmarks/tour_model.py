"""The model of the tour: no language model, but replies written by hand for one template, `support-reply`.

It plays three roles as a hosted model would: an executor that does what its prompt asks for and no more, a
judge that counts what the requirements name, and an optimizer with a list of ideas, of which two are bad.
"""

import re
from typing import Final, NamedTuple

from tests.model_server import JsonObject, Scripted, conversation
from tests.spo_model import role_of


class Case(NamedTuple):
    """What can be said to one customer.

    Attributes:
        asks: A part of the question that no other has.
        feeling: A sentence that shows it was understood.
        facts: What the facts allow to be said.
        invented: What they do not.
        step: One next step.
        steps: Several.
    """

    asks: str
    feeling: str
    facts: str
    invented: str
    step: str
    steps: str


CASES: Final = (
    Case(
        "desk lamp flickers",
        "A lamp that starts to flicker overnight is worrying, I understand that.",
        "You need not throw it away: most often only the bulb is loose, and the warranty covers two years.",
        "We will collect it tomorrow and send you a new one free of charge.",
        "Please switch the lamp off, let it cool down and screw the bulb in firmly.",
        "You could tighten the bulb, try another socket, call our hotline or bring the lamp to a shop.",
    ),
    Case(
        "cracked shade",
        "I am sorry that order 5512 arrived with a cracked shade; your anger is easy to understand.",
        "You can keep the old shade, it need not come back to us.",
        "As an apology you also get 20 % off your next order.",
        "We send you a new shade today.",
        "Send us three photos, fill in the return form, and choose between a refund and a new lamp.",
    ),
    Case(
        "where is my parcel",
        "Waiting for a parcel that was announced for Tuesday is annoying.",
        "The carrier had delays this week.",
        "Your parcel will certainly arrive on Thursday before noon.",
        "Please send us your order number, and we will look for it at once.",
        "Ask the carrier, check your neighbours, watch the tracking page, or write to us again next week.",
    ),
    Case(
        "Aurora lamp in my bathroom",
        "It is wise to ask before you put a lamp in a bathroom.",
        "The Aurora is not protected against water; the Tide lamp is.",
        "The Tide is on sale until Sunday.",
        "Please have a look at the Tide lamp in our shop.",
        "You could buy the Tide, hang the Aurora far from the shower, or ask an electrician.",
    ),
    Case(
        "four months ago",
        "It is a pity that the lamp does not please you, I see why you would like to return it.",
        "Lamps can be returned within 30 days, so a refund is not possible; we do take used lamps in trade.",
        "We make an exception and pay the whole price back.",
        "Please bring the lamp to the shop, and we make you an offer for it.",
        "You could sell it online, give it to a friend, trade it in, or write to our management.",
    ),
    Case(
        "floor lamp is beautiful",
        "How nice that you like your floor lamp, and that you think ahead.",
        "It takes an E27 bulb of at most 40 watts.",
        "The bulb lasts for at least ten years.",
        "When the time comes, buy an E27 bulb of 40 watts or less.",
        "Buy one now, or later, or take an LED, or ask for a set of three in our shop.",
    ),
)

GUSHING: Final = "What a wonderful message, thank you so, so much for being part of our amazing Lumen family!"
SIGNED: Final = "Your Lumen team"
BEGIN: Final = "You work for Lumen, a shop for lamps.\nReply to the customer."


class Idea(NamedTuple):
    """What the optimizer proposes in a round."""

    analyse: str
    modification: str
    adds: str


FEELING: Final = "Begin with one sentence that shows you understood the customer's trouble."
SIGN: Final = 'Sign with "Your Lumen team".'
FACTS: Final = "Use only the facts that are given; promise no refund, date or discount beyond them."
STEP: Final = "Name exactly one next step, and keep the reply below 80 words."
WARM: Final = "Be as warm and enthusiastic as you can, and offer the customer several options to choose from."
CHAT: Final = "Chat with the customer for a while first, and be enthusiastic."

IDEAS: Final = (
    Idea(
        "None of the replies shows that the customer was understood, and none is signed as required.",
        "Ask for a sentence of understanding at the beginning, and for the signature.",
        f"{FEELING} {SIGN}",
    ),
    Idea(
        "The replies promise things that no fact supports: a free lamp, a discount, a date.",
        "Bind the reply to the facts that are given.",
        FACTS,
    ),
    Idea(
        "The replies are correct, but a little dry, and they leave the customer little choice.",
        "Ask for warmth, and for several options.",
        WARM,
    ),
    Idea(
        "Each reply lists several things to do, where the requirements want exactly one next step.",
        "Ask for exactly one next step, and limit the length.",
        STEP,
    ),
    Idea(
        "The tone could be warmer; an earlier attempt tried that with several options, which lost.",
        "Ask for enthusiasm alone, without further options.",
        CHAT,
    ),
    Idea(
        "The replies meet the requirements; only the wording of the prompt can still be tightened.",
        "Say the same with a numbered list.",
        "Keep to this order: understanding, facts, next step, signature.",
    ),
)


def propose(request: JsonObject) -> Scripted:
    """The first idea that was not tried yet, added to the best prompt."""
    text = conversation(request)
    best = text.split("<best_prompt>")[1].split("</best_prompt>")[0].strip()
    tried = text.split("<best_prompt>")[1]
    idea = next((one for one in IDEAS if one.adds not in tried), IDEAS[-1])
    kept = [line for line in best.splitlines() if line not in (WARM, CHAT)]
    prompt = "\n".join([*kept, idea.adds])
    return paced(
        f"<analyse>{idea.analyse}</analyse>\n<modification>{idea.modification}</modification>\n"
        f"<prompt>{prompt}</prompt>",
        seconds=7.0,
    )


def execute(request: JsonObject) -> Scripted:
    """What the prompt asks for, and nothing of its own accord."""
    text = conversation(request)
    case = next(one for one in CASES if one.asks in text)
    is_warm = WARM in text or CHAT in text
    parts = [
        *((GUSHING,) if is_warm else ()),
        case.feeling if FEELING in text else "Hello,",
        case.facts,
        *(() if FACTS in text and WARM not in text else (case.invented,)),
        case.step if STEP in text and WARM not in text else case.steps,
        *((SIGNED,) if SIGN in text else ("Kind regards",)),
    ]
    return paced(" ".join(parts[:-1]) + "\n" + parts[-1], seconds=3.0 + len(parts[2]) / 60)


class Marks(NamedTuple):
    """What a judge has to say for and against the answers of one side."""

    good: list[str]
    bad: list[str]

    @property
    def worth(self) -> int:
        return len(self.good) - len(self.bad)


def marks_of(answers: str) -> Marks:
    """Count what the requirements name, question by question."""
    good: list[str] = []
    bad: list[str] = []
    for number, case in enumerate((one for one in CASES if one.facts in answers), 1):
        if case.feeling in answers:
            good.append(f"question {number} begins with understanding")
        if case.invented in answers:
            bad.append(f'question {number} promises what no fact supports ("{case.invented}")')
        if case.step in answers:
            good.append(f"question {number} names exactly one next step")
        if case.steps in answers:
            bad.append(f"question {number} lists several things to do")
    if GUSHING in answers:
        bad += ["the tone gushes", "the first sentence is about the shop and not about the customer"]
    if SIGNED in answers:
        good.append("every reply is signed as required")
    else:
        bad.append('no reply is signed "Your Lumen team"')
    return Marks(good, bad)


def judge(request: JsonObject) -> Scripted:
    """The better side, with what decided; of two that are as good the one that is shown first."""
    text = conversation(request)
    marks = {
        side: marks_of(text.split(f"<answers_of_{side}>")[1].split(f"</answers_of_{side}>")[0])
        for side in "AB"
    }
    difference = marks["A"].worth - marks["B"].worth
    if not difference:
        return paced(
            "<analyse>Both follow the requirements in every question: understanding, facts, one next "
            "step, the signature. Assistant A is worded a little more smoothly.</analyse>\n"
            "<choose>A</choose>",
            seconds=4.5,
        )
    winner, loser = ("A", "B") if difference > 0 else ("B", "A")
    better = [one for one in marks[winner].good if one not in marks[loser].good][:2]
    worse = [one for one in marks[loser].bad if one not in marks[winner].bad][:3]
    said = [f"Assistant {winner} is better where it counts: {'; '.join(better)}." if better else ""]
    said.append(f"Assistant {loser} falls short: {'; '.join(worse)}." if worse else "")
    return paced(
        f"<analyse>{' '.join(filter(None, said))}</analyse>\n<choose>{winner}</choose>",
        seconds=4.0 + len(" ".join(said)) % 13 / 6,
    )


def reply(request: JsonObject) -> Scripted:
    """The reply of whichever role was asked."""
    return {"propose": propose, "execute": execute, "judge": judge}[role_of(request)](request)


def paced(text: str, seconds: float) -> Scripted:
    """A reply that comes word by word, after a moment, within that many seconds."""
    pieces = tuple(re.findall(r"\S+\s*", text))
    return Scripted(pieces=pieces, delay=0.25 * seconds, pause=0.75 * seconds / len(pieces))
