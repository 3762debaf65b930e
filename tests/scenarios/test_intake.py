"""What a reader of intake rows may rely on: they say what the question says, and no law moves them."""

from __future__ import annotations

import json

import polars as pl
import pytest

from forge_assets.law.country import Country, checked_country
from forge_assets.law.model import Bound, Domain, Framework
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_country
from forge_assets.scenarios.intake.rows import intake_answers
from forge_assets.scenarios.intake.schema import IntakeError, intake_schema_text, read_intake
from forge_assets.scenarios.pack.files import Pack
from tests import shipped
from tests.helpers import tiered

CODES = ("AT", "DE", "FR")
RIGHT = '{"change":"working_time","facts":{"AT":{"employees":50,"works_council":true}},"missing":["affected"]}'


@pytest.fixture(scope="module")
def everything() -> pl.DataFrame:
    """Samples of all tasks."""
    return shipped.composed()[1]


@pytest.fixture(scope="module")
def intake(everything: pl.DataFrame) -> pl.DataFrame:
    rows = everything.filter(pl.col("task_type") == "intake")
    cases = shipped.composed()[0].select("scenario_id", "facts", "company", drawn="split")
    return rows.join(cases, on="scenario_id", how="left", maintain_order="left")


def test_an_answer_states_every_fact_of_its_case_and_no_other(intake: pl.DataFrame, domain: Domain, pack: Pack) -> None:
    assert intake.height > 1000
    for row in intake.iter_rows(named=True):
        read = read_intake(row["response"], domain, pack.languages["en"].countries)
        assert read.facts == json.loads(row["facts"])
        assert set(read.facts) == set(row["jurisdictions"])
        assert read.change == row["change_type"]


def test_what_is_missing_is_what_the_change_asks_for_and_a_country_lacks(intake: pl.DataFrame, domain: Domain) -> None:
    for row in intake.iter_rows(named=True):
        stated = json.loads(row["facts"]).values()
        own = domain.change_types[row["change_type"]].facts
        missing = [name for name in domain.facts if name in own and not all(name in site for site in stated)]
        assert json.loads(row["response"])["missing"] == missing
        assert (row["variant"] == "missing_fact") == bool(missing)
    assert 0.3 < (intake["variant"] == "missing_fact").mean() < 0.6


def test_facts_stand_in_the_order_in_which_they_are_decoded(domain: Domain, pack: Pack, intake: pl.DataFrame) -> None:
    (schema,) = intake["output_schema"].unique()
    assert schema == intake_schema_text(domain, pack.languages["en"].countries)
    codes = list(json.loads(schema)["properties"]["facts"]["properties"])
    for response in intake["response"]:
        facts = json.loads(response)["facts"]
        assert list(facts) == [code for code in codes if code in facts]
        for site in facts.values():
            assert list(site) == [name for name in domain.drawn_facts if name in site]


def test_some_questions_are_about_two_countries_or_name_one_that_decides_nothing(intake: pl.DataFrame) -> None:
    assert intake.filter(pl.col("jurisdictions").list.len() == 2).height > 50
    assert intake.filter(pl.col("variant") == "confusable_neighbour").height > 50


def test_every_number_and_the_company_stand_in_the_prompt_and_nothing_is_left_to_fill_in(intake: pl.DataFrame) -> None:
    formal = intake.filter(
        pl.col("register") != "plain"
    )  # which names a company seldom, and writes some numbers as words
    for row in formal.iter_rows(named=True):
        assert row["company"] in row["prompt"]
        numbers = [v for site in json.loads(row["facts"]).values() for v in site.values() if not isinstance(v, bool)]
        assert all(str(number) in row["prompt"] for number in numbers)
    open_ = intake.filter(pl.col("prompt").str.contains(r"\{\S*\w+\}|  |^ | $| \n|: ;|: \n"))
    assert open_.is_empty(), open_["prompt"][0]


def test_intake_is_about_an_eighth_of_all_that_is_composed(everything: pl.DataFrame, intake: pl.DataFrame) -> None:
    assert 0.06 < intake.height / everything.height < 0.25


def test_intake_rests_on_no_law_and_is_taught_where_law_is_withheld(intake: pl.DataFrame) -> None:
    for name in (
        "provenance",
        "provenance_versions",
        "expected_citations",
        "sections",
        "expected_fields",
        "level_words",
    ):
        assert intake[name].list.len().sum() == 0
    assert (intake["split"] == intake["drawn"]).all()
    dutch = intake.filter(pl.col("jurisdictions").list.contains("NL"))
    assert {"train", "validation", "benchmark"} == set(dutch["split"])


def test_a_case_is_in_one_split_whatever_is_asked_about_it(everything: pl.DataFrame) -> None:
    kept = everything.filter(pl.col("split").is_in(["train", "validation", "benchmark"]), pl.col("change_type") != "")
    assert kept.group_by("scenario_id").agg(pl.col("split").n_unique())["split"].max() == 1


def test_no_prompt_is_asked_twice(everything: pl.DataFrame) -> None:
    assert everything["prompt"].is_unique().all()
    assert everything["sample_id"].is_unique().all()
    assert shipped.composed()[0]["scenario_id"].is_unique().all()


@pytest.mark.parametrize("edit", tiered(["applies_when", "summary", "level", "triggers", "repealed law"]))
def test_no_edit_of_law_changes_an_intake_row(
    domain: Domain, pack: Pack, countries: dict[str, Country], edit: str
) -> None:
    germany, others = countries["DE"], [countries[code] for code in CODES if code != "DE"]
    changed = {
        "summary": {"summary": "agreement on another subject"},
        "level": {"level": "consultation"},
        "triggers": {"triggers": ("business_transfer",)},
        "applies_when": {"applies_when": ({"employees": Bound(min=700)},)},
    }

    def rows(framework: Framework) -> pl.DataFrame:
        country = checked_country(domain, framework, germany.statutes)
        law, volume = LawLineage.of([country, *others]), Volume(32, 4)
        frameworks = [framework, *(other.framework for other in others)]
        single = compose_country(domain, pack, framework, law, volume)[1]
        both = pl.concat([single, compose_cross_border(domain, pack, frameworks, law, volume)[1]])
        return both.filter(pl.col("task_type") == "intake")

    given = germany.framework
    provisions = [p.model_copy(update=changed[edit]) for p in given.provisions] if edit in changed else []
    edited = given.model_copy(update={"provisions": tuple(provisions)})
    before = rows(given)
    assert before.height > 300
    assert rows(edited).equals(before)


def test_a_fact_that_one_of_three_countries_lacks_is_missing(domain: Domain) -> None:
    rows = pl.DataFrame(
        {
            "change_type": ["working_time"] * 2,
            "home": ["DE", "AT"],
            "other": ["AT", ""],
            "third": ["FR", ""],
            **{"employees": [50, 60], "employees@1": [7, None], "employees@2": [None, None]},
            **{"affected": [5, 6], "affected@1": [7, None], "affected@2": [8, None]},
            **{f"works_council{mark}": [True, False] for mark in ("", "@1", "@2")},
        },
        schema_overrides={"employees@2": pl.Int64},
    )
    first, second = intake_answers(domain, rows, (("home", ""), ("other", "@1"), ("third", "@2")))
    assert first == (
        '{"change":"working_time","facts":{"AT":{"employees":7,"affected":7,"works_council":true},'
        '"DE":{"employees":50,"affected":5,"works_council":true},"FR":{"affected":8,"works_council":true}},'
        '"missing":["employees"]}'
    )
    assert second == (
        '{"change":"working_time","facts":{"AT":{"employees":60,"affected":6,"works_council":false}},"missing":[]}'
    )


def test_a_right_answer_is_read(domain: Domain) -> None:
    read = read_intake(RIGHT, domain, CODES)
    assert (read.change, read.missing) == ("working_time", ("affected",))
    assert read.facts == {"AT": {"employees": 50, "works_council": True}}
    assert read.facts["AT"]["works_council"] is True


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("}", "", "must be JSON and is .*Expecting"),
        ('"AT"', '"XX"', r"wrong at \$.facts: .*'XX' was unexpected"),
        ("50", '"fifty"', r"wrong at \$.facts.AT.employees: 'fifty' is not of type 'integer'"),
        ("true", "1", r"wrong at \$.facts.AT.works_council: 1 is not of type 'boolean'"),
        ('"employees"', '"employes"', r"wrong at \$.facts.AT: .*'employes' was unexpected"),
        ("50", "50000000", r"wrong at \$.facts.AT.employees: 50000000 is greater than"),
        (',"missing":["affected"]', "", "wrong at .: 'missing' is a required property"),
        ('["affected"]', '["affected","affected"]', r"wrong at \$.missing\[1\]: affected stands twice"),
        ('["affected"]', '["monitoring"]', r"\$.missing\[0\]: monitoring is nothing that a question on working_time"),
        ('"employees":50', '"employees":50,"employees":60', "must be JSON .*employees stands twice"),
    ],
)
def test_a_wrong_answer_is_refused_with_the_place(domain: Domain, old: str, new: str, says: str) -> None:
    with pytest.raises(IntakeError, match=says):
        read_intake(RIGHT.replace(old, new), domain, CODES)
