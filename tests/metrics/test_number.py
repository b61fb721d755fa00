"""Which number an answer comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.marking import fault, mark

RIGHT = [
    ("8", "8"),
    ("Total: 42 apples (40 red and 2 green).", "42"),
    ("There are 10 left (5 red, 3 blue, 2 green)", "10"),
    ("共 42 个（红 40，绿 2）。", "42"),
    ("The pages that she read (3 and 4)", "4"),
    ("-8", "-8"),
    ("−8", "-8"),
    ("The answer is -8.", "-8"),
    ("It is 2.5", "2.50"),
    ("2.5.", "2.5"),
    ("$1,234.50", "1234.5"),
    ("1 apple and 2 pears make 3", "3"),
    ("3 * 6 = 18 dollars", "18"),
    ("5 - 3 = 2", "2"),
    ("5 - 3", "3"),
    ("The answer is 18, as 3 times 6 shows.", "18"),
    ("The answer is 3 * 6 = 18.", "18"),
    ("**Answer:** 18 (3 of them are red)", "18"),
    ("**Answer: 18** because of the 3", "18"),
    ("Answer:\n18\nbecause of the 3", "18"),
    ("The answer is not 5. The answer is 6. I checked 2 times.", "6"),
    ("She pays 16 - 3 - 4 = 9.\n#### 18", "18"),
    ("#### $1,000", "1000"),
    (r"so \boxed{42} after 3 steps", "42"),
    (r"so \boxed{\text{42 apples}} after 3 steps", "42"),
    (r"\boxed{\$1{,}200}", "1200"),
    ("-$8", "-8"),
    ("$-8", "-8"),
    ("- 8", "8"),
    ("1. First\n2. Second: 7", "7"),
    ("2,5", "2.5"),
    ("0,125", "0.125"),
    ("1,2,3", "3"),
    (".5", "0.5"),
    ("1e3", "1000"),
    ("1.5E-3", "0.0015"),
    ("50%", "50"),
    ("1\u202f000\u202f000", "1000000"),
    ("答案是 12。", "12"),
    ("18 eggs", "9 + 9 = 18\n#### 18"),
    ("12345678901234567890", "12345678901234567890"),
]
COMMON = [
    ("共18元", "18"),
    ("结果为-5", "-5"),
    ("合計18円", "18"),
    ("ราคา18บาท", "18"),
    ("Итого18", "18"),
    ("합계 18원", "18"),
    ("答案：十五", "15"),
    ("一共三万五千元", "35000"),
    ("一亿两千万", "120000000"),
    ("共３６元", "36"),
    ("٣٦٫٥", "36.5"),
    ("3万5千", "35000"),
    ("1.5亿人", "150000000"),
    ("5千克", "5"),
    ("1.234,56 €", "1234.56"),
    ("1,234.56", "1234.56"),
    ("1.234.567", "1234567"),
    ("1 000", "1000"),
    ("1 234 567,5", "1234567.5"),
    ("1'000", "1000"),
    ("1’234’567.5", "1234567.5"),
    ("1_000", "1000"),
    ("1,00,000", "100000"),
    ("12,34,567.5", "1234567.5"),
    ("2 million", "2000000"),
    ("2.5 billion dollars", "2500000000"),
    ("3 lakh", "300000"),
    ("$70k", "70000"),
    ("$2.5M", "2500000"),
    ("2 m", "2"),
    ("1.5 × 10^3", "1500"),
    ("1.5 x 10³", "1500"),
    (r"1.5 \times 10^{-2}", "0.015"),
    ("2^{10}", "1024"),
    ("2**10", "1024"),
    ("5²", "25"),
    ("negative 8", "-8"),
    ("minus 8", "-8"),
    ("负8", "-8"),
    ("10 minus 8", "8"),
    ("－8", "-8"),
    ("½", "0.5"),
    ("1 ½", "1.5"),
    ("1 1/2", "1.5"),
    ("1 and 1/2 hours", "1.5"),
    ("-1/2", "-0.5"),
    ("3/2", "1.5"),
    (r"\frac{1}{2}", "1/2"),
    (r"\dfrac{3}{4}", "0.75"),
    (r"-\tfrac12", "-0.5"),
    (r"1\frac{1}{2}", "3/2"),
    (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    ("1/3", r"\frac{2}{6}"),
    ("The answer is 3. Check: 3 * 4 = 12.", "3"),
    ("The answer is 3, as 3 * 4 = 12.", "3"),
    ("The answer is 7 (3 + 4).", "7"),
    ("The answer is obtained by adding 3 and 4, giving 7.", "7"),
    ("The answer is 5. Wait, that is wrong. Actually, it is 7.", "7"),
    ("So, 7 is left.\n\nNote: a year has 365 days.", "7"),
    ("There are seven.", "7"),
    ("two hundred and fifteen", "215"),
    ("One of them keeps twenty-one.", "21"),
    ("Die Antwort ist: 7", "7"),
    ("Ответ: 7", "7"),
    ("La respuesta es 7.", "7"),
    ("三分之一", "1/3"),
    ("答案是5分之3。", "0.6"),
    ("百分之三点五", "3.5"),
    ("一共三点五个", "3.5"),
    ("负三点一", "-3.1"),
    ("十点二五", "10.25"),
    ("三个半", "3.5"),
    ("3个半小时", "3.5"),
    ("三十五元五角", "35.5"),
    ("3元5角", "3.5"),
    ("二〇二四", "2024"),
    ("two point five", "2.5"),
    ("minus one hundred point zero five", "-100.05"),
    ("It takes one and a half.", "1.5"),
    ("$2.5B", "2500000000"),
    ("The fee is $5K/month.", "5000"),
]
NOTHING = [
    "12:30",
    "2024-01-05",
    "3/4/2024",
    "3-7 days",
    "(3,4]",
    "(3, 4)",
    "[1, 2)",
    "3 ± 1",
    r"5\sqrt{2}",
    "5√2",
    r"\frac{\sqrt{3}}{2}",
    "2π",
    "0x1F",
    "1,2345",
    "1.2.3",
    "5'11",
    r"0.\overline{3}",
    "x2",
    "1e999999",
    "9" * 5000,
    "No one knows.",
    "我们一起去",
    "第十二",
    "十二三",
    "三四个",
    "三成五",
    "两成",
    "二十多",
    "两打",
    "零分之三",
    "two thirds",
    "one and three quarters",
]
"""What is not one number, whose parts are none of it."""
WRONG = [
    ("-8", "8"),
    ("8", "-8"),
    ("The temperature is −8 degrees", "8"),
    ("2.5", "2"),
    ("2.5", "5"),
    ("2", "2.5"),
    ("1,000", "1"),
    ("1000", "1"),
    ("12345678901234567890", "12345678901234567891"),
    ("x2", "2"),
    ("none", "0"),
    ("", "0"),
]


@pytest.mark.parametrize(("answer", "reference"), RIGHT)
def test_right(answer: str, reference: str) -> None:
    assert mark("number", answer, reference).value == 1, mark("number", answer, reference).read


@pytest.mark.parametrize(("answer", "reference"), COMMON)
def test_common_ways_to_write_a_number_are_read_whole(answer: str, reference: str) -> None:
    assert fault("number", reference) == ""
    assert mark("number", answer, reference).value == 1, mark("number", answer, reference).read


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_not_understood_is_not_read_in_part(text: str) -> None:
    assert mark("number", text, "1").read is None
    assert fault("number", text).endswith("is not a single number.")


@pytest.mark.parametrize(
    "reference",
    [
        "18 eggs",
        "$18",
        "18%",
        "90°",
        "5 km/h",
        "12 m²",
        "x = 5",
        "≈ 3.5",
        "USD 18",
        "7 apples.",
        "seven",
        "#### 18",
        "$2.5B",
        "$18$",
        "三分之一",
    ],
)
def test_a_reference_may_have_a_unit_or_a_currency(reference: str) -> None:
    assert fault("number", reference) == ""


@pytest.mark.parametrize(
    "reference",
    ["3 apples and 4 pears", "3x+2", "3 or 4", "12 (2024)", "x", "n/a", "$x^2$", ">= 5", "≤5", "x >= 5"],
)
def test_a_reference_of_more_than_a_number_is_refused(reference: str) -> None:
    assert fault("number", reference).endswith("is not a single number.")


@pytest.mark.parametrize(("answer", "reference"), WRONG)
def test_wrong(answer: str, reference: str) -> None:
    assert mark("number", answer, reference).value == 0


def test_a_tolerance_is_taken_in() -> None:
    near = {"name": "number", "tolerance": 0.01}
    assert mark(near, "3.14", "3.15").value == 1
    assert mark(near, "3.13", "3.15").value == 0


def test_a_reference_without_a_number_is_a_fault_of_the_row() -> None:
    assert fault("number", "many") == "The answer “many” is not a single number."
    assert fault("number", "3") == ""


@given(
    st.decimals(-(10**9), 10**9, places=3), st.sampled_from(["{:f}", "{:,}", "So it is {:f}.", "= {:f} m"])
)
def test_every_number_is_read_as_it_is_written(number: object, frame: str) -> None:
    text = frame.format(number)
    assert mark("number", text, str(number)).value == 1, text


@given(st.text("0123456789.,-−+eE$% =#:{}\\", max_size=30))
def test_whatever_looks_like_numbers_is_read_or_left(text: str) -> None:
    assert mark("number", text, "7").value in {0, 1}
