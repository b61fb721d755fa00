"""Answers in many styles, each with what it says; written for this purpose, and put together by chance."""

import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from benchmarks.reading import harness
from spotui.domain.rows import Row

NAMES = ("Ann", "Bo", "Chidi", "Dana", "Eli", "Fay")
THINGS = ("apples", "eggs", "dollars", "pages", "km", "minutes", "cards", "tickets")


class Case(NamedTuple):
    """An answer.

    Attributes:
        family: The benchmark that it could be an answer of.
        metric: The metric that reads it.
        row: The row that it answers; its reference is what the answer says.
        answer: The answer.
        rule: What the harness reads.
        target: What the harness compares that with.
    """

    family: str
    metric: object
    row: Row
    answer: str
    rule: str
    target: str

    @property
    def harness_is_right(self) -> bool:
        """Whether the harness's rule reads what the answer says."""
        return self.rule.strip().lower() == self.target.lower()


def cases(seed: int = 0) -> list[Case]:
    """The whole corpus."""
    rng = random.Random(seed)
    return [*_gsm8k(rng), *_bbh(rng), *_mmlu(rng)]


_SOLUTIONS = (
    "{name} has {a} {thing} and gets {b} more.\n{a} + {b} = {v}\n",
    "Step 1: start with {a}.\nStep 2: add {b}, which makes {v}.\n",
    "First, {name} counts {a} {thing}. Then there are {b} others, so {a} + {b} = <<{a}+{b}={v}>>{v}.\n\n",
    "1. {name} has {a} {thing}.\n2. {name} gets {b} {thing}.\n3. In all: {a} + {b} = {v}.\n",
    "",
    "- {a} from Monday\n- {b} from Tuesday\n",
    "Let x be the number. x - {a} = {b}, hence x = {v}. ",
    "We know 2 facts: {a} and {b}. ",
)
_NUMBER_ENDS = (
    "The answer is {v}.",
    "The answer is {v} {thing}.",
    "So the answer is {v}.",
    "The final answer is {v}",
    "Therefore, the answer is: **{v}**.",
    "#### {v}",
    "Answer: {v}",
    "**Answer:** {v} {thing}",
    "**Final Answer: {v}**",
    "So {name} has {v} {thing}.",
    "{name} has {v} {thing} in total.",
    "In total, {name} has **{v}** {thing}.",
    "Total: {v}",
    "So, the total number of {thing} is {v}.",
    "\\boxed{{{v}}}",
    "The answer is $\\boxed{{{v}}}$.",
    "\\[\n\\boxed{{{v}\\text{{ {thing}}}}}\n\\]",
    "That makes {a} + {b} = {v} {thing}.",
    "{a} + {b} = {v}",
    "= {v}",
    "{v}",
    "{v} {thing}",
    "Thus, {name} will need {v} {thing}!",
    "The answer is obtained by adding {a} and {b}, giving {v}.",
    "The answer is the sum of {a} and {b}: {v}.",
    "The answer is {a} + {b} = {v}.",
    "The answer is {a}. Wait, I forgot the other {b}. Actually, it is {v}.",
    "Hence the result is {v} {thing}.",
    "The answer is that {name} has {v} {thing}.",
    "so it's {v}",
    "The answer, then: {v}.",
    "The answer is approximately {v}.",
    "A: {v}",
    "{name} ends up with {v}.",
    "Antwort: {v}",
    "答案是{v}。",
    "所以一共{v}个。",
    "因此答案为：{v}",
    "Ответ: {v}",
    "La respuesta es {v}.",
    "คำตอบคือ {v}",
    "正解は{v}です",
    # where the harness is wrong
    "The answer is {v}. Check: {v} - {b} = {a}.",
    "The answer is {v}, as {a} and {b} show.",
    "Answer: {v} (that is {a} plus {b})",
    "#### {v}\nI used 2 steps.",
)
_WAYS: tuple[Callable[[int], str], ...] = (
    str,
    str,
    str,
    "{:,}".format,
    "${:,}".format,
    "{}.00".format,
    "${}.00".format,
    lambda value: f"{value:,}".replace(",", "\u202f"),
    lambda value: f"{value:,}".replace(",", "{,}"),
    "\\${}".format,
)


def _gsm8k(rng: random.Random) -> Iterator[Case]:
    for end in _NUMBER_ENDS:
        for _ in range(12):
            a, b = rng.choice(
                ((rng.randint(2, 40), rng.randint(2, 40)), (rng.randint(50, 9000), rng.randint(50, 9000)))
            )
            value = a + b
            facts = {"a": a, "b": b, "name": rng.choice(NAMES), "thing": rng.choice(THINGS)}
            solution = rng.choice(_SOLUTIONS).format(v=value, **facts)
            answer = solution + end.format(v=rng.choice(_WAYS)(value), **facts)
            yield _number_case("GSM8K", "How many are there?", answer, value)
    for answer, said in _ODD_NUMBERS:
        yield _number_case("GSM8K", "How many are there?", answer, said)


def _number_case(family: str, question: str, answer: str, value: Fraction | int | str) -> Case:
    row = Row(question, (str(value),))
    return Case(family, "number", row, answer, harness.number(answer), str(value))


_ODD_NUMBERS: tuple[tuple[str, int | str], ...] = (
    ("She sold 5-3=2 fewer, so 18 - 2 = 16.", 16),
    ("It costs $1,234,567.", 1234567),
    ("The profit is -$70,000.", -70000),
    ("The temperature falls to -8.", -8),
    ("The temperature falls to −8 degrees.", -8),
    ("The change is negative 8.", -8),
    ("She loses money: her balance is -40", -40),
    ("He needs 0.5 cups.", "0.5"),
    ("He needs .5 cups.", "0.5"),
    ("That is 12.50 dollars", "12.5"),
    ("It took 1.5 hours.", "1.5"),
    ("They need 1,000,000 bricks.", 1000000),
    ("The ratio is 3/4.", "0.75"),
    ("He eats \\frac{3}{4} of it.", "0.75"),
    ("The sum comes to 2 million.", 2000000),
    ("The sum comes to $70k.", 70000),
    ("In scientific notation this is 1.5 × 10^3.", 1500),
    ("Sie zahlt 1.234,56 €", "1234.56"),
    ("Elle paie 1 000 euros", 1000),
    ("Das macht 1'000 Franken", 1000),
    ("It is ₹1,00,000.", 100000),
    ("So there are fifteen.", 15),
    ("答案：十五", 15),
    ("共３６元", 36),
    ("المجموع ٣٦", 36),
    ("Итого18", 18),
    ("ราคา18บาท", 18),
    ("합계 18원", 18),
    ("20% of 50 is 10, so she keeps 40.", 40),
    ("On day 1 she reads 12 pages, on day 2 twice as many, 24, so she has 36 pages left.", 36),
    ("5 x 6 = 30 and 30 / 2 = 15", 15),
    ("Janet makes 9 * $2 = $18 every day.", 18),
    ("The answer: eighteen.", 18),
    ("Her age is 42 years", 42),
    ("x=42", 42),
    ("$x = 42$", 42),
    ("Total = (3 + 4) × 6 = 42", 42),
    ("The answer is 3 dozen eggs, i.e. 36. The answer is 36.", 36),
    ("First answer: 12. No wait... Final answer: 14", 14),
    ("He has 7 apples left!", 7),
    ("…and that leaves her with 7…", 7),
    ("The answer is `7`.", 7),
    ('{"reasoning": "3 + 4", "answer": 7}', 7),
    ("<answer>7</answer>", 7),
    ("Answer = 7", 7),
    ("7.", 7),
)


def _bbh(rng: random.Random) -> Iterator[Case]:
    yield from _words(
        "BBH navigate", "yes_no", ("Yes", "No"), _YES_NO_ENDS, rng, harness_words=("Yes", "No", "yes", "no")
    )
    yield from _words(
        "BBH boolean", "yes_no", ("True", "False"), _BOOLEAN_ENDS, rng, harness_words=("True", "False")
    )
    label = {"name": "label", "labels": ["valid", "invalid"]}
    yield from _words(
        "BBH fallacies", label, ("valid", "invalid"), _VALID_ENDS, rng, harness_words=("valid", "invalid")
    )
    yield from _phrases("BBH lies", "Does Bo tell the truth?", _LIES_ENDS, rng)
    yield from _phrases("BBH sports", "Is it plausible: Bo hit a home run?", _SPORTS_ENDS, rng)
    yield from _counting(rng)
    yield from _sorting(rng)
    yield from _dyck(rng)
    yield from _choices("BBH choice", rng, inline=False)


_THOUGHTS = (
    "Let's think step by step. ",
    "We start at the origin and face north.\n(1) Take 3 steps.\n(2) Turn around.\n",
    "Let's see: the first premise says one thing, the second another.\n\n",
    "",
    "1. The first fact matters.\n2. The second fact does not.\n",
    "Some would disagree, but the facts are clear. ",
)
_YES_NO_ENDS = (
    "So the answer is {v}.",
    "The answer is {v}",
    "**{v}**",
    "{v}",
    "{v}.",
    "Answer: {v}",
    "Therefore, the answer is **{v}**.",
    "So, {l}.",
    "Hence {l}, one does return.",
    "Is it so? Yes or no? {v}.",
    "The final answer: {v}.",
    "\\boxed{{\\text{{{v}}}}}",
    "In conclusion, {l}.",
    "{v}, because of the last step.",
    "Thus the statement 'yes' or 'no' is decided: {l}.",
    "My answer would be: {v}",
)
_BOOLEAN_ENDS = (
    "So the answer is {v}.",
    "not ( True ) and ( False ) = {v}. So the answer is {v}.",
    "A or B = True or False, which evaluates to {v}.",
    "Therefore, the expression is {v}.",
    "= {v}",
    "{v}",
    "Z = {v}.",
    "The answer is: `{v}`",
    "The result is **{v}**.",
    "Plug in: A = True, B = False, so A and B = False. Then not A = False. Hence it evaluates to {v}.",
)
_VALID_ENDS = (
    "So the answer is {v}.",
    "The argument is {v}.",
    "Therefore, the argument is deductively {v}.",
    "Is the argument valid or invalid? It is {v}.",
    "The answer is **{v}**.",
    "{v}",
    "Answer: {v}",
    "So, given the premises, the argument is {v}.",
    "Hence, it is {v}",
    "The argument, given the explicitly stated premises, is deductively {v}.",
    "\\boxed{{\\text{{{v}}}}}",
    "An argument is valid if the premises entail the conclusion. Here, that makes it {v}.",
)


def _words(
    family: str,
    metric: object,
    words: tuple[str, str],
    ends: tuple[str, ...],
    rng: random.Random,
    *,
    harness_words: tuple[str, ...],
) -> Iterator[Case]:
    for end in ends:
        for word in words:
            for _ in range(3):
                answer = rng.choice(_THOUGHTS) + end.format(v=word, l=word.lower())
                rule = harness.last_word(answer, *harness_words)
                yield Case(family, metric, Row("Which is it?", (word,)), answer, rule, word)


_LIES_ENDS = (
    ("Fay says Eli lies. So Fay tells the truth. Bo says Fay lies. So Bo does not tell the truth.", "no"),
    (
        "Fay says Eli tells the truth. So Fay does. Bo says Fay tells the truth, so Bo tells the truth.",
        "yes",
    ),
    ("Since that is false, Bo does not tell the truth. So the answer is No.", "no"),
    ("Therefore, Bo is telling the truth.", "yes"),
    ("Therefore, Bo is not telling the truth.", "no"),
    ("Bo tells the truth. So the answer is Yes.", "yes"),
    ("Therefore Bo tells the truth: yes.", "yes"),
    ("No, Bo does not tell the truth.", "no"),
    ("Yes, Bo tells the truth.", "yes"),
    ("If it were true, then Fay would lie. So Bo does not tell the truth.", "no"),
)
_SPORTS_ENDS = (
    ("Bo is a baseball player. Hitting a home run is part of baseball. So the answer is yes.", "yes"),
    ("Bo is a soccer player. A home run is part of baseball. So the answer is no.", "no"),
    ("So it is plausible.", "yes"),
    ("So it is not plausible.", "no"),
    ("Therefore, the sentence is plausible.", "yes"),
    ("Therefore, the sentence is not plausible.", "no"),
    ("No, it is not plausible.", "no"),
    ("Yes, it is plausible.", "yes"),
    ("The answer: yes", "yes"),
)


def _phrases(
    family: str, question: str, ends: tuple[tuple[str, str], ...], rng: random.Random
) -> Iterator[Case]:
    for end, meaning in ends:
        for _ in range(3):
            answer = rng.choice(_THOUGHTS) + end
            if family == "BBH lies":
                rule = harness.mapped(
                    answer,
                    "no|does not tell the truth|is not telling the truth",
                    "yes|tells the truth|is telling the truth",
                )
            else:
                rule = harness.mapped(answer, "no|not plausible", "yes|plausible")
            yield Case(family, "yes_no", Row(question, (meaning,)), answer, rule, meaning)


def _counting(rng: random.Random) -> Iterator[Case]:
    ends = (
        "So the answer is {v}.",
        "There are {v} objects in all.",
        "Adding them: {list} = {v}. So the answer is {v}.",
        "{list} = {v}",
        "(1) {v}",
        "That makes {v}.",
        "You have {v} vegetables.",
        "The answer is: {v}",
    )
    for end in ends:
        for _ in range(6):
            counts = [rng.randint(1, 4) for _ in range(rng.randint(2, 5))]
            value = sum(counts)
            answer = rng.choice(_THOUGHTS) + end.format(v=value, list=" + ".join(map(str, counts)))
            row = Row("How many objects do I have?", (str(value),))
            yield Case("BBH counting", "number", row, answer, harness.count(answer), str(value))
    for word, value in (("seven", 7), ("three", 3), ("twelve", 12), ("ten", 10)):
        for answer in (f"You have {word} objects.", f"There are {word}.", f"The answer is {word}."):
            row = Row("How many objects do I have?", (str(value),))
            yield Case("BBH counting", "number", row, answer, harness.count(answer), str(value))


_WORDS = ("apple", "banana", "cherry", "delta", "echo", "fox", "grape", "house", "iron", "jazz")


def _sorting(rng: random.Random) -> Iterator[Case]:
    ends = (
        "{s}",
        "So the answer is {s}.",
        "The sorted list is: {c}.",
        "Sorted: {s}",
        "We have to sort: {u}.\nSorted: {s}",
        "{b}",
        "The words are {uc}. In alphabetical order they are {c}.",
        "First letters: a, b, c.\nHence the order is:\n{b}",
        "{arrows}",
        "Final answer: {c}",
        "Here is the list:\n\n{n}",
    )
    for end in ends:
        for _ in range(5):
            words = rng.sample(_WORDS, 4)
            right = sorted(words)
            answer = end.format(
                s=" ".join(right),
                c=", ".join(right),
                u=" ".join(words),
                uc=", ".join(words),
                b="\n".join(f"- {word}" for word in right),
                n="\n".join(f"{number}. {word}" for number, word in enumerate(right, 1)),
                arrows=" -> ".join(right),
            )
            row = Row(f"Sort the words. List: {' '.join(words)}", (" ".join(right),))
            target = " ".join(right)
            yield Case("BBH sorting", "word_list", row, answer, harness.sorted_words(answer, words), target)


def _dyck(rng: random.Random) -> Iterator[Case]:
    for end in (
        "{v}",
        "So the answer is {v}",
        "The answer is: {v}",
        "The missing brackets are: {v}",
        "Answer: {v}",
        "So, we need {v}",
    ):
        for _ in range(5):
            value = " ".join(rng.choice("])}>") for _ in range(rng.randint(1, 4)))
            answer = end.format(v=value)
            row = Row("Complete the brackets.", (value,))
            yield Case("BBH brackets", "label", row, answer, harness.brackets(answer), value)


_OPTIONS = (
    {"A": "red", "B": "green", "C": "blue", "D": "yellow"},
    {"A": "the heart", "B": "the liver", "C": "the kidney", "D": "the brain"},
    {"A": "12 km", "B": "15 km", "C": "18 km", "D": "21 km"},
    {"A": "Paris", "B": "London", "C": "Rome", "D": "Berlin"},
    {"A": "He was late", "B": "He was early", "C": "He was ill", "D": "Ambiguous"},
)
_CHOICE_ENDS = (
    "The answer is ({v}).",
    "So the answer is ({v}).",
    "The answer is ({v}) {t}.",
    "({v})",
    "({v}) {t}",
    "{v}",
    "{v}.",
    "{v}) {t}",
    "{v}. {t}",
    "Answer: {v}",
    "Answer: ({v}) {t}",
    "**Answer: ({v})**",
    "**{v}**",
    "The correct answer is **({v})**.",
    "The correct option is {v}.",
    "Therefore, the correct answer is option ({v}).",
    "I would choose ({v}).",
    "So it must be ({v}) {t}.",
    "Comparing ({o}) and ({v}), ({v}) is better.",
    "({o}) is wrong. ({v}) is right.",
    "({o}) {ot} does not fit. That leaves ({v}).",
    "The answer is not ({o}). The answer is ({v}).",
    "The answer is ({o}). Wait, that is wrong. The answer is ({v}).",
    "The answer is ({o}). Wait, no: it should be ({v}).",
    "Option ({o}) is incorrect because of the first fact, so ({v}).",
    "We can rule out ({o}), so the answer is ({v}).",
    "\\boxed{{{v}}}",
    "$\\boxed{{\\text{{({v})}}}}$",
    "The answer is: {v}",
    "The answer is {t}.",
    "It is {t}.",
    "So the answer is {t}, which is clear.",
    "Final answer: {v}",
    "the answer is ({lv})",
    "Answer: {lv}",
    "选{v}",
    "答案是{v}。",
    "故选：（{v}）",
    "因此，正确答案是（{v}）。",
    "{v}选项正确",
    "The best choice would be ({v}), {t}.",
    "(A) is one thing, (B) another, (C) a third. Of these, ({v}) is the best.",
    "Looking at the options:\n(A) {A}\n(B) {B}\n(C) {C}\n(D) {D}\n\nThe answer is ({v}).",
    "Let me check each option.\n({o}) {ot}: no.\n({v}) {t}: yes.\nSo ({v}).",
    "<answer>({v})</answer>",
    '{{"answer": "{v}"}}',
    "My choice: {v}",
)


def _choices(family: str, rng: random.Random, *, inline: bool) -> Iterator[Case]:
    for end in _CHOICE_ENDS:
        for _ in range(7):
            options = rng.choice(_OPTIONS)
            letter = rng.choice(list(options))
            other = rng.choice([one for one in options if one != letter])
            facts = {
                "v": letter,
                "lv": letter.lower(),
                "t": options[letter],
                "o": other,
                "ot": options[other],
            }
            answer = rng.choice(("", "", "Let's think step by step. The facts are known.\n")) + end.format(
                **facts, **options
            )
            shown = (" " if inline else "\n").join(f"({one}) {text}" for one, text in options.items())
            row = Row(f"Which one?\n{shown}", (f"({letter})",))
            yield Case(family, "multiple_choice", row, answer, harness.choice(answer, options), letter)


def _mmlu(rng: random.Random) -> Iterator[Case]:
    return _choices("MMLU", rng, inline=True)


def families(found: list[Case]) -> Mapping[str, list[Case]]:
    """The cases by their benchmark; the tasks of BBH count as one."""
    together: dict[str, list[Case]] = {}
    for case in found:
        together.setdefault(case.family.split()[0], []).append(case)
    return together
