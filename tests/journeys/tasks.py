"""The same task in every language that people travel in: its texts, and a model that answers in them.

Nothing of it is in another language, so what is left of English on a Chinese screen is spotui's own.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from tests.model_server import JsonObject, Persona, conversation
from tests.row_model import kind_of
from tests.spo_model import role_of

KEY: Final = "sk-of-a-traveller"
MODEL: Final = "test-model"
_STYLE: Final = re.compile(r"(?:style|第) ?(\d+)")
_NUMBERS: Final = re.compile(r"(\d+) (?:plus|加) (\d+)")


@dataclass(frozen=True)
class Task:
    """What a person works on, in their language.

    Attributes:
        language: As `SPOTUI_LANG` has it.
        prompt: The seed.
        requirements: What a good answer is like.
        questions: Enough of them for a check on new ones.
        styled: A better prompt; its slot is the number of its style.
        change: What a candidate changes, with the same slot.
        analysis: What the optimizer and the judge say, with the same slot.
        answer: What the executor says, with the same slot.
        adding: The seed of the task with rows, with the same slot.
        sum: A question of a row, with slots for two numbers.
        total: Its answer, with a slot for the sum.
    """

    language: str
    prompt: str
    requirements: str
    questions: tuple[str, ...]
    styled: str
    change: str
    analysis: str
    answer: str
    adding: str
    sum: str
    total: str

    @property
    def pasted(self) -> str:
        """The questions as a person pastes them."""
        return "\n".join(self.questions)

    @property
    def template(self) -> str:
        """A template without labels."""
        asked = "".join(f"  - question: {one}\n    answer: None\n" for one in self.questions)
        return f"prompt: {self.prompt}\nrequirements: {self.requirements}\ncount: None\nqa:\n{asked}"

    @property
    def template_with_rows(self) -> str:
        """A template whose rows lie beside it, in `rows.jsonl`."""
        head = f"prompt: {self.adding.format(0)}\nrequirements: {self.requirements}\n"
        return f"{head}data: rows.jsonl\nmetric: number\n"

    @property
    def chats(self) -> str:
        """A file of chats, in which the prompt is the system message."""
        lines = [
            [("system", self.prompt), ("user", question), ("assistant", self.answer.format(9))]
            for question in self.questions
        ]
        return "".join(
            json.dumps({"messages": [{"role": role, "content": text} for role, text in line]}) + "\n"
            for line in lines
        )

    @property
    def texts(self) -> str:
        """Everything that a screen can show of it."""
        styled = (self.styled, self.change, self.analysis, self.answer, self.adding)
        shown = [text.format(number) for text in styled for number in range(20)]
        sums = [self.sum.format(n, n * 7 % 50) for n in range(60)]
        totals = [self.total.format(n) for n in range(120)]
        return "\n".join([self.prompt, self.requirements, *self.questions, *shown, *sums, *totals])

    def rows(self, count: int) -> str:
        """A JSONL file of sums."""
        pairs = [(n, n * 7 % 50) for n in range(count)]
        return "".join(
            f'{{"question": "{self.sum.format(one, other)}", "answer": "{one + other}"}}\n'
            for one, other in pairs
        )

    @property
    def model(self) -> Persona:
        """Every candidate is better than its parent."""
        return Persona(role_of, propose=self._propose, execute=self._execute, judge=self._judge)

    @property
    def counting_model(self) -> Persona:
        """The further a prompt's style, the more sums it gets right."""
        return Persona(kind_of, propose=self._propose_sum, execute=self._add)

    def _propose(self, request: JsonObject) -> str:
        best = conversation(request).split("<best_prompt>")[1].split("</best_prompt>")[0]
        return self._proposal(1 + _style(best), self.styled)

    def _propose_sum(self, request: JsonObject) -> str:
        current = conversation(request).split("<current_prompt>")[1].split("</current_prompt>")[0]
        return self._proposal(1 + _style(current), self.adding)

    def _proposal(self, style: int, prompt: str) -> str:
        return (
            f"<analyse>\n{self.analysis.format(style - 1)}\n</analyse>\n"
            f"<modification>\n{self.change.format(style)}\n</modification>\n"
            f"<prompt>\n{prompt.format(style)}\n</prompt>"
        )

    def _execute(self, request: JsonObject) -> str:
        return self.answer.format(_style(conversation(request)))

    def _judge(self, request: JsonObject) -> str:
        text = conversation(request)
        styles = {
            side: _style(text.split(f"<answers_of_{side}>")[1].split(f"</answers_of_{side}>")[0])
            for side in "AB"
        }
        better = "A" if styles["A"] > styles["B"] else "B"
        worse = min(styles.values())
        return f"<analyse>\n{self.analysis.format(worse)}\n</analyse>\n<choose>{better}</choose>"

    def _add(self, request: JsonObject) -> str:
        text = conversation(request)
        one, other = map(int, _NUMBERS.findall(text)[-1])
        is_hard = (one * 37 + other * 11) % 10 >= 3 + 2 * _style(text)
        return self.total.format(one + other + is_hard)


def _style(text: str) -> int:
    return max(map(int, _STYLE.findall(text)), default=0)


ENGLISH: Final = Task(
    language="en",
    prompt="Answer the question.",
    requirements="Be correct, and give a reason.",
    questions=(
        "Why is the sky blue?",
        "Why do leaves fall?",
        "Why does ice float?",
        "Why do cats purr?",
        "Why is the sea salty?",
    ),
    styled="Answer in style {}, with reasons.",
    change="Ask for style {}.",
    analysis="Style {} leaves room.",
    answer="In style {}: because it is so.",
    adding="Add in style {}.",
    sum="What is {} plus {}?",
    total="The sum is {}.",
)

CHINESE: Final = Task(
    language="zh_CN",
    prompt="请回答问题。",
    requirements="回答正确，并说明理由。",
    questions=(
        "天空为什么是蓝色的？",
        "树叶为什么会落？",
        "冰为什么浮在水上？",
        "猫为什么打呼噜？",
        "海水为什么是咸的？",
    ),
    styled="按第 {} 种风格回答，并说明理由。",
    change="改用第 {} 种风格。",
    analysis="第 {} 种风格还不够好。",
    answer="按第 {} 种风格：原因就是这样。",
    adding="用第 {} 种方法相加。",
    sum="{} 加 {} 等于多少？",
    total="和是 {}。",
)

TASKS: Final = (ENGLISH, CHINESE)
