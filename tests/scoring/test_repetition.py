"""Answers that say the same to their end, or do not end, as small models write them; and answers that only look so."""

from __future__ import annotations

import pytest

from forge_assets.scoring.answer_text import plain_text
from forge_assets.scoring.repetition import repeats
from tests import shipped

REFERENCE = (
    "Germany, introduction of an AI system. Co-determination: owed to the works council (Betriebsrat). "
    "It must agree before the system is used, § 87 Abs. 1 Nr. 6 BetrVG; without it the conciliation board decides."
)
SECTION = (
    "## Legal basis\n- § 87 Abs. 1 Nr. 6 BetrVG: co-determination on devices able to monitor behaviour\n"
    "- § 90 Abs. 1 Nr. 3 BetrVG: information on planned work processes\n"
)
LOOPS = {
    "a section to the end": "## Assessment\nCo-determination: owed to the works council.\n" + SECTION * 4,
    "a section, cut in the last": (SECTION * 4)[:-40],
    "a sentence": REFERENCE + " The works council must be informed." * 6,
    "a line": "## Steps\n" + "- Inform the works council of the plan\n" * 5,
    "a numbered line": "## Steps\n" + "".join(f"{n}. Inform the works council\n" for n in range(1, 20)),
    "one word": "The employer must inform the " + "works " * 40,
    "a counter": "See § 87 Abs. 1 " + ", ".join(f"Nr. {n}" for n in range(6, 40)),
    "two lines in turn": "The council agrees.\nThe employer informs.\n" * 4,
    "no end": REFERENCE
    + " The employer has also"
    + " to".join(f" consider point {n} of plan {n} with care" for n in "abcdefghijkl"),
    "a cycle that drifts": " ".join(f"{SECTION} And {word}." for word in ("so on", "further", "again", "more", "too")),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOOPS)
def test_an_answer_that_repeats_itself_or_does_not_end_is_counted(kind: str) -> None:
    assert repeats(plain_text(LOOPS[kind]), REFERENCE)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "No.",
        REFERENCE,
        SECTION,
        f"{REFERENCE}\n{SECTION}",
        "Information, information, information.",
        "- Germany: no provision applies\n- Austria: no provision applies\n- France: no provision applies",
        "Apply Nr. 1, Nr. 2, Nr. 3, Nr. 4, Nr. 5, Nr. 6 and Nr. 7.",
        " ".join(f"Point {n} deserves words of its own, such as {n * 'x'}." for n in range(1, 40)),
    ],
)
def test_lists_and_long_answers_that_end_are_not(answer: str) -> None:
    assert not repeats(plain_text(answer), REFERENCE)


@pytest.mark.slow
def test_no_reference_answer_of_the_pack_is_counted() -> None:
    _, samples = shipped.composed()
    texts = samples.group_by("task_type", "depth", "answer_language").head(20)["response"].unique().to_list()
    assert len(texts) > 1000
    assert [text for text in texts if repeats(plain_text(text), text)] == []
