"""Questions as people ask them: what is read from them, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from forge_assets.serving.asked import Asked, AskedError, completed, read_asked, trained_form
from forge_assets.serving.library import Library
from forge_assets.serving.reading.question import Reader

PACK = Path(__file__).parents[2] / "frameworks" / "labour"


@pytest.fixture(scope="module")
def reader(library: Library) -> Reader:
    return Reader(library)


def test_a_question_gives_its_language_country_change_and_facts(reader: Reader) -> None:
    read = reader.read(
        "Der Chef will 19 von 382 Leuten betriebsbedingt kündigen, in München, einen Betriebsrat gibt es. "
        "Darf da jemand mitreden?"
    )
    assert (read.language, read.jurisdictions, read.change) == ("de", ("DE",), "collective_redundancy")
    assert read.facts == {"affected": 19, "employees": 382, "works_council": True}


@pytest.mark.parametrize(
    ("text", "countries"),
    [
        ("Answer in English please: can they close our plant in Lyon?", ["FR"]),
        ("Auf Deutsch bitte: was gilt in Österreich, wenn der Betrieb verkauft wird?", ["AT"]),
        ("What does German law say on AI tools?", ["DE"]),
        ("We are closing the plants in Poland and in the Czech Republic.", ["PL", "CZ"]),
        ("What does § 111 BetrVG say?", ["DE"]),
        ("They want to close our plant. Can they?", []),
        ("Please answer in English.", []),
    ],
)
def test_the_country_is_that_of_the_case_and_not_of_the_language(
    reader: Reader, text: str, countries: list[str]
) -> None:
    assert list(reader.read(text).jurisdictions) == countries


def test_people_about_whom_nothing_else_is_said_are_all_there_are(reader: Reader) -> None:
    assert reader.read("We are about 75 people in Lyon. They want to close our plant.").facts == {"employees": 75}


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("We have a works council.", True),
        ("There isn't any works council", False),
        ("we do not have a works council", False),
        ("Bei uns gibt es einen Betriebsrat.", True),
        ("Wir haben keinen Betriebsrat", False),
        ("Betriebsrat gibt es nicht", False),
        ("30 of 200 employees / no union / works council exists", True),
    ],
)
def test_who_does_not_deny_a_body_has_one(reader: Reader, text: str, there: bool) -> None:
    assert reader.read(f"{text.rstrip('.')}. They want to close our plant in Linz.").facts["works_council"] is there


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("Nous avons un CSE et 80 salariés à Lyon.", True),
        ("Tenemos comité de empresa en Sevilla.", True),
        ("No tenemos comité de empresa en Sevilla.", False),
        ("Mamy radę pracowników.", True),
    ],
)
def test_a_body_is_known_by_what_its_country_calls_it(reader: Reader, text: str, there: bool) -> None:
    assert reader.read(text).facts["works_council"] is there


def test_numbers_of_places_years_and_shares_count_nobody(reader: Reader) -> None:
    read = reader.read("§ 87 Abs. 1 Nr. 6 BetrVG: in 2027 we close our plant in Berlin, 30% by 12:30. Can they?")
    assert not read.facts and read.cites == ("DE:betrvg:87:1:6",)


def test_most_of_what_people_ask_in_public_is_read_and_little_is_read_wrong(reader: Reader) -> None:
    rows = yaml.safe_load((PACK / "benchmark" / "questions.yaml").read_text("utf-8"))["questions"]
    right = wrong = countries = languages = 0
    for row in rows:
        read = reader.read(row["text"])
        languages += read.language == row["language"]
        countries += list(read.jurisdictions) == ["NO" if code is False else code for code in row["jurisdictions"]]
        right += read.change == row.get("change")
        wrong += read.change is not None and read.change != row.get("change")
    assert languages >= 0.95 * len(rows) and countries >= 0.85 * len(rows)
    assert right >= 0.65 * len(rows) and wrong <= 0.15 * len(rows)


def test_what_is_said_beside_a_question_goes_before_what_is_read_and_is_told_to_the_model(
    library: Library, reader: Reader
) -> None:
    asked = read_asked(
        library,
        {"question": "We want to close our plant in Berlin.", "facts": {"employees": "60"}, "jurisdictions": ["at"]},
    )
    read = reader.read(asked.question)
    whole = completed(library, asked, read)
    assert whole.jurisdictions == ("AT",) and whole.facts == {"employees": 60}
    form = trained_form(library, asked, read, whole, ("en",))
    assert form is not None and form.startswith(asked.question) and "60" in form and "Austria" in form


def test_a_question_in_a_language_that_the_model_does_not_know_is_told_in_english(
    library: Library, reader: Reader
) -> None:
    asked = Asked(question="Chcemy zamknąć zakład w Warszawie. Mamy 150 pracowników.")
    read = reader.read(asked.question)
    assert (read.language, read.jurisdictions, read.change) == ("pl", ("PL",), "site_closure")
    form = trained_form(library, asked, read, read, ("en", "de"))
    assert form is not None and reader.read(form).language == "en" and "Poland" in form and "150" in form
    assert trained_form(library, asked, read, read, ("en", "pl")) is None


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({}, "question", "write a question"),
        ({"question": " "}, "question", "write a question"),
        ({"question": "x", "colour": 1}, "colour", "no such field"),
        ({"question": "x", "jurisdictions": ["XX"]}, "jurisdictions", "no such country"),
        ({"question": "x", "jurisdictions": "DE"}, "jurisdictions", "list of country codes"),
        ({"question": "x", "change": "party"}, "change", "no such kind of change"),
        ({"question": "x", "facts": {"employees": "many"}}, "facts.employees", "in digits"),
        ({"question": "x", "facts": {"employees": True}}, "facts.employees", "number"),
        ({"question": "x", "facts": {"works_council": 3}}, "facts.works_council", "true or false"),
        ({"question": "x", "facts": {"ghosts": 3}}, "facts.ghosts", "no such fact"),
        ({"question": "x", "facts": {"employees": [1]}}, "facts.employees", "number, true or false"),
    ],
)
def test_what_cannot_be_asked_is_named(library: Library, given: dict[str, object], field: str, said: str) -> None:
    with pytest.raises(AskedError, match=said) as refused:
        read_asked(library, given)
    assert refused.value.field == field


def test_facts_that_contradict_one_another_are_refused(library: Library, reader: Reader) -> None:
    asked = Asked(question="x", jurisdictions=("DE",), facts={"employees": 10, "affected": 20})
    with pytest.raises(AskedError, match="more than employees"):
        completed(library, asked, reader.read("x"))
