"""The reward pays for right answers, and for nothing that a policy could do instead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forge_assets.citations.law_index import LawIndex, law_index
from forge_assets.citations.parser import parse
from forge_assets.citations.rendering import render
from forge_assets.citations.serialization import law_rows, read_laws
from forge_assets.law.country import Country, read_country
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Domain
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_countries
from forge_assets.scenarios.pack.files import load_pack
from forge_assets.scoring.metrics import is_prose
from forge_assets.scoring.reward import FIELDS, HIGHEST, LOWEST, WEIGHTS, reward
from forge_assets.scoring.score import score
from forge_resources.storage.canonical_json import canonical
from tests.scoring.conftest import as_asked

PACK = Path(__file__).parents[2] / "frameworks" / "labour"
CODES = ("AT", "DE", "EU", "FR")
HALF = HIGHEST / 2
MARGIN = 0.1
"""How much less than an honest answer with one fault gaming must earn."""

SAFE = {"AT": "§ 92a Abs. 1 Z 1 ArbVG", "DE": "§ 90 Abs. 1 Nr. 3 BetrVG", "FR": "art. L. 2312-8 C. trav."}
Sample = dict[str, Any]


@pytest.fixture(scope="module")
def domain() -> Domain:
    return load_domain(PACK)


@pytest.fixture(scope="module")
def countries(domain: Domain) -> list[Country]:
    return [read_country(PACK, domain, PACK / f"jurisdictions/{code.lower()}.yaml") for code in CODES]


@pytest.fixture(scope="module")
def held(domain: Domain, countries: list[Country]) -> LawIndex:
    return law_index(domain, countries)


@pytest.fixture(scope="module")
def asked(domain: Domain, countries: list[Country], held: LawIndex) -> list[Sample]:
    """A sample of every task, variant and set of countries that are composed of three countries and the union."""
    pack, law, volume = load_pack(PACK, domain), LawLineage.of(countries), Volume(draws=40, kept=4)
    frameworks = [country.framework.core() for country in countries]
    tables = [
        compose(domain, pack, frameworks, law, volume)[1] for compose in (compose_countries, compose_cross_border)
    ]
    rows = [row for table in tables for row in table.sort("sample_id").iter_rows(named=True)]
    kinds: dict[tuple[str, ...], list[Sample]] = {}
    for row in rows:
        kinds.setdefault((row["task_type"], row["variant"], *sorted(row["jurisdictions"])), []).append(row)
    return [as_asked(same[0], held) for same in kinds.values()]


def _alone(sample: Sample) -> str | None:
    return sample["jurisdictions"][0] if len(sample["jurisdictions"]) == 1 else None


def _sections(text: str) -> list[str]:
    return re.split(r"(?m)^(?=## )", text)[1:]


def _honest(sample: Sample, laws: LawIndex) -> list[str]:
    """The reference with one fault: a citation dropped, or a section without citations missing.

    Where an answer has one citation alone, several times: one of its lines, or its last sentence, missing.
    """
    text, found = sample["response"], []
    listed = [line for line in text.splitlines() if re.match(r"- |\d+\. ", line)]
    if len(sample["expected_citations"]) > 1 and len(listed) > 1:
        found.append(text.replace(listed[-1], ""))
    parts = _sections(text)
    bare = [part for part in parts if not parse(part, laws, _alone(sample))]
    if bare and len(sample["expected_citations"]) != 1:
        found.append(text.replace(bare[-1], ""))
    if not found and len(listed) > 1:
        spare = [line for line in listed if not parse(line, laws, _alone(sample))]
        found.append(text.replace((spare or listed)[-1], ""))
    if not found and bare:
        found.append(text.replace(bare[-1], ""))
    if not found:
        found.append(text.rpartition(". ")[0] or text.rpartition("\n")[0])
    return found


def _without_citations(sample: Sample, laws: LawIndex) -> str:
    text: str = sample["response"]
    for citation in reversed(parse(text, laws, _alone(sample))):
        text = text[: citation.span[0]] + text[citation.span[1] :]
    return text


def _provisions(sample: Sample, countries: list[Country]) -> list[str]:
    [framework] = [c.framework for c in countries if c.framework.jurisdiction == sample["jurisdictions"][0]]
    return [render(provision.cite, framework) for provision in framework.provisions]


def _under(sample: Sample, *texts: str) -> str:
    """Each text under a heading of the sample; the last one under all that follow; bare where none is due."""
    if not sample["sections"]:
        return "\n".join(texts)
    padded = [*texts, *[texts[-1]] * len(sample["sections"])]
    return "\n".join(f"## {name}\n{text}" for name, text in zip(sample["sections"], padded, strict=False))


@pytest.fixture(scope="module")
def fails(asked: list[Sample], held: LawIndex) -> Callable[..., list[str]]:
    """Where a way of gaming earns as much as the worst honest answer, or nearly so; it must be tried on many.

    A short answer in plain sentences with one fault may have nothing left: there gaming is compared with half of what
    is to be earned.
    """

    def tried(game: Callable[[Sample], str | None], least: int = 30) -> list[str]:
        won, count = [], 0
        for sample in filter(is_prose, asked):
            text = game(sample)
            if text is None:
                continue
            count += 1
            honest = HALF + MARGIN
            if sample["sections"]:
                honest = min(reward(each, sample, held).total for each in _honest(sample, held))
            gained = reward(text, sample, held)
            if gained.total > honest - MARGIN:
                won.append(f"{gained.total:.2f} for\n{text}\n{honest:.2f} honestly, of\n{sample['response']}\n{gained}")
        assert count >= least
        return won

    return tried


def test_the_reference_earns_everything(asked: list[Sample], held: LawIndex) -> None:
    kinds = {(s["task_type"], s["variant"]) for s in asked}
    assert len(kinds) > 25 and {tuple(s["jurisdictions"]) for s in asked} >= {("DE",), ("AT",), ("FR",)}
    assert {round(reward(s["response"], s, held).total, 9) for s in asked} == {HIGHEST}


def test_an_honest_answer_with_one_fault_earns_less_but_much(asked: list[Sample], held: LawIndex) -> None:
    headed = [sample for sample in asked if sample["sections"]]
    earned = [reward(text, sample, held).total for sample in headed for text in _honest(sample, held)]
    assert len(headed) > 50 and all(_honest(sample, held) for sample in headed)
    assert min(earned) > 0.5 and max(earned) < HIGHEST


def test_the_parts_can_add_up_to_the_bounds_and_no_further() -> None:
    penalties = WEIGHTS["unexpected_citations"] + WEIGHTS["unexpected_content"] + WEIGHTS["verbosity"]
    assert sum(WEIGHTS.values()) - penalties == pytest.approx(HIGHEST)
    assert -penalties == pytest.approx(LOWEST)


def test_citing_every_provision_does_not_pay(fails: Callable[..., list[str]], countries: list[Country]) -> None:
    assert fails(lambda s: _under(s, "; ".join(_provisions(s, countries)))) == []


@pytest.mark.slow
@pytest.mark.parametrize("many", [8, 100])
def test_the_right_citations_among_many_do_not_pay(
    fails: Callable[..., list[str]], countries: list[Country], many: int
) -> None:
    assert fails(lambda s: s["response"] + "".join(f"\n- {c}" for c in _provisions(s, countries)[:many])) == []


@pytest.mark.slow
@pytest.mark.parametrize("body", ["", "x", "Information", "...", "co-determination"])
def test_headings_with_next_to_nothing_under_them_do_not_pay(fails: Callable[..., list[str]], body: str) -> None:
    assert fails(lambda s: _under(s, body)) == []


def test_a_heading_counts_by_what_stands_under_it(asked: list[Sample], held: LawIndex) -> None:
    for sample in asked:
        bare, whole = (
            reward(text, sample, held).structure for text in (_under(sample, "Information"), sample["response"])
        )
        assert bare < 0.5 and whole == 1.0


@pytest.mark.slow
def test_copying_the_question_does_not_pay(fails: Callable[..., list[str]]) -> None:
    assert fails(lambda s: s["prompt"]) == []
    assert fails(lambda s: _under(s, s["prompt"])) == []
    assert fails(lambda s: _under(s, s["prompt"], "None in the catalogue.")) == []


@pytest.mark.slow
def test_copying_the_place_that_is_asked_about_does_not_pay(sample: Sample, laws: LawIndex) -> None:
    text = "§ 87 Abs. 1 Nr. 6 BetrVG: co-determination on devices able to monitor, owed to the Betriebsrat."
    place = sample | {
        "prompt": "What does § 87 Abs. 1 Nr. 6 BetrVG say?",
        "response": text,
        "sections": [],
        "expected_citations": ["DE:betrvg:87:1:6"],
        "expected_level": "",
    }
    assert reward(text, place, laws).total == pytest.approx(HIGHEST)
    assert reward(place["prompt"], place, laws).total < HALF


@pytest.mark.slow
def test_one_safe_article_for_every_question_does_not_pay(fails: Callable[..., list[str]], held: LawIndex) -> None:
    def safe(sample: Sample) -> str | None:
        home = sample["jurisdictions"][0]
        [key] = {str(c.key) for c in parse(SAFE[home], held, home)}
        if key in sample["expected_citations"]:
            return None
        return _under(
            sample, "Consultation: owed to the works council.", f"- information and consultation, {SAFE[home]}"
        )

    assert fails(safe) == []


@pytest.mark.slow
@pytest.mark.parametrize("times", [4, 10, 40])
def test_saying_the_right_sentence_again_and_again_does_not_pay(fails: Callable[..., list[str]], times: int) -> None:
    assert fails(lambda s: s["response"] + ("\n" + s["response"].splitlines()[-1]) * times) == []
    assert fails(lambda s: s["response"] + (" " + s["response"].splitlines()[-1]) * times) == []


@pytest.mark.slow
def test_saying_that_nothing_applies_does_not_pay_where_something_does(fails: Callable[..., list[str]]) -> None:
    none = ("No provision applies.", "None in the texts held.")
    assert fails(lambda s: _under(s, *none) if s["expected_citations"] else None) == []


def test_citing_nothing_earns_nothing_for_citations_unless_the_answer_says_that_nothing_applies(
    asked: list[Sample], held: LawIndex
) -> None:
    says = {"none": "No provision applies.", "unsettled": "The texts held do not settle it."}
    english = [s for s in asked if is_prose(s) and s["answer_language"] == "en"]
    empty = [s for s in english if not s["expected_citations"] and s["expected_level"] in says]
    assert len(empty) > 8
    for sample in empty:
        assert reward(_under(sample, "The employer may go ahead at any time."), sample, held).citations == 0.0
        for level, text in says.items():
            honest = reward(_under(sample, text), sample, held).citations
            assert honest == float(level == sample["expected_level"])


@pytest.mark.slow
def test_the_right_text_without_its_citations_does_not_pay(fails: Callable[..., list[str]], held: LawIndex) -> None:
    assert fails(lambda s: _without_citations(s, held) if s["expected_citations"] else None) == []


@pytest.mark.slow
def test_the_answer_to_another_question_does_not_pay(fails: Callable[..., list[str]], asked: list[Sample]) -> None:
    def other(sample: Sample) -> str | None:
        own = set(sample["expected_citations"])
        for each in asked:
            same_kind = each["task_type"] == sample["task_type"] and each["jurisdictions"] == sample["jurisdictions"]
            theirs = set(each["expected_citations"])
            if same_kind and (own or theirs) and not own & theirs:
                return str(each["response"])
        return None

    assert fails(other) == []


@pytest.mark.slow
def test_the_law_of_another_country_does_not_pay(fails: Callable[..., list[str]], asked: list[Sample]) -> None:
    def foreign(sample: Sample) -> str | None:
        for each in asked:
            shared = {*each["jurisdictions"]} & {*sample["jurisdictions"]}
            if each["task_type"] == sample["task_type"] and each["expected_citations"] and not shared:
                return str(each["response"])
        return None

    assert fails(foreign) == []


def test_a_citation_of_another_country_beside_the_right_ones_costs(asked: list[Sample], held: LawIndex) -> None:
    for sample in filter(is_prose, asked):
        home = sample["jurisdictions"]
        foreign = next(text for code, text in SAFE.items() if code not in home)
        found = reward(f"{sample['response']} As under {foreign}.", sample, held)
        assert found.total < HIGHEST - MARGIN
        assert found.unexpected_citations == pytest.approx(-1 / 3)


def test_an_invented_citation_costs_more_than_one_that_is_merely_not_due(asked: list[Sample], held: LawIndex) -> None:
    sample = next(s for s in asked if s["jurisdictions"] == ["DE"] and s["variant"] == "plain")
    text = sample["response"]
    real, invented = (reward(f"{text} See {cited} BetrVG.", sample, held) for cited in ("§ 99", "§ 987"))
    assert (real.unexpected_citations, invented.unexpected_citations) == (pytest.approx(-1 / 6), pytest.approx(-1 / 3))
    assert invented.total < real.total < HIGHEST


@pytest.mark.parametrize("answer", ["", " \n\t "])
def test_a_blank_answer_earns_nothing(asked: list[Sample], held: LawIndex, answer: str) -> None:
    assert {reward(answer, sample, held).total for sample in asked} == {0.0}


PIECES = (
    "## Assessment\n", "## Legal basis\n", "§ 87 Abs. 1 Nr. 6 BetrVG", "§ 987 BetrVG ", "Art. 5 GDPR", "\n", "§", "1",
    "co-determination ", "Germany", " Austria", "No provision", "- ", "§ 96 Abs. 1 Z 3 ArbVG, ",
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answer=st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(PIECES),
            max_size=60,
        ).map("".join),
    )
)
def test_no_text_leaves_the_bounds(sample: Sample, laws: LawIndex, answer: str) -> None:
    found = reward(answer, sample, laws)
    parts = asdict(found)
    assert all(-1.0 <= parts.pop(name) <= 0.0 for name in ("unexpected_citations", "unexpected_content", "verbosity"))
    assert all(0.0 <= value <= 1.0 for value in parts.values())
    assert LOWEST - 1e-9 <= found.total <= HIGHEST + 1e-9


def test_an_index_that_went_through_json_rewards_and_scores_alike(
    domain: Domain, countries: list[Country], held: LawIndex, asked: list[Sample]
) -> None:
    lines = [canonical(row) for row in law_rows(domain, countries, None)]
    again = read_laws(map(json.loads, lines))
    for sample, other in pairwise(asked):
        fields = json.loads(canonical({name: sample[name] for name in FIELDS}))
        for answer in (other["response"], sample["prompt"]):
            assert reward(answer, fields, again) == reward(answer, sample, held)
            assert score(answer, fields, again) == score(answer, sample, held)


def _unsaid(sample: Sample) -> str:
    """The reference without anything that must be said exactly."""
    text: str = sample["response"]
    for field in sample["expected_fields"]:
        for said in field["said"]:
            text = re.sub(re.escape(said), "them", text, flags=re.IGNORECASE)
    return text


def _due(sample: Sample, field: str) -> bool:
    return any(each["field"] == field for each in sample["expected_fields"])


@pytest.mark.slow
def test_naming_every_body_does_not_pay(
    fails: Callable[..., list[str]], countries: list[Country], asked: list[Sample], held: LawIndex
) -> None:
    def bodies(sample: Sample) -> str:
        own = [c.framework for c in countries if c.framework.jurisdiction in sample["jurisdictions"]]
        return ", ".join(f"{body.english} ({body.name})" for framework in own for body in framework.bodies)

    assert fails(lambda s: _under(s, bodies(s))) == []
    for sample in filter(lambda s: _due(s, "body"), asked):
        listed = reward(f"{_unsaid(sample)}\nThis concerns {bodies(sample)}.", sample, held)
        assert listed.total < reward(sample["response"], sample, held).total - MARGIN


@pytest.mark.slow
@pytest.mark.parametrize("many", [20, 300])
def test_giving_every_number_does_not_pay(
    fails: Callable[..., list[str]], asked: list[Sample], held: LawIndex, many: int
) -> None:
    listed = "at least " + ", ".join(f"{n} employees" for n in range(1, many))
    assert fails(lambda s: _under(s, listed)) == []
    due = [sample for sample in asked if _due(sample, "threshold")]
    assert len(due) > 5
    for sample in due:
        assert (
            reward(f"{_unsaid(sample)}\n{listed}", sample, held).total
            < reward(_unsaid(sample), sample, held).total - MARGIN
        )


def test_quoting_what_nobody_wrote_costs_and_quoting_the_law_does_not(asked: list[Sample], held: LawIndex) -> None:
    for sample in filter(is_prose, asked):
        [*_, home] = sorted(sample["jurisdictions"])
        unit = next(unit for (code, _), law in held.laws.items() if code == home for unit in law.units.values())
        true, false = " ".join(unit.text.split()[:6]), "the employer may do as it pleases"
        assert reward(f"{sample['response']} «{true}»", sample, held).unexpected_content >= -1 / 6
        found = reward(f"{sample['response']} «{false}»", sample, held)
        assert found.unexpected_content == pytest.approx(-1 / 3)
        assert found.total < HIGHEST - MARGIN


def test_a_body_or_number_of_neither_question_nor_reference_costs(sample: Sample, laws: LawIndex) -> None:
    whole = sample["response"]
    assert reward(f"{whole} Within 45 days.", sample, laws).unexpected_content == pytest.approx(-1 / 6)
    assert reward(f"{whole} Ask the Wirtschaftsausschuss.", sample, laws).unexpected_content == pytest.approx(-1 / 6)
    assert reward(f"{whole} There are 120 employees.", sample, laws).unexpected_content == 0.0


def test_where_no_field_is_due_nothing_is_earned_for_fields(sample: Sample, laws: LawIndex) -> None:
    bare = sample | {"expected_fields": []}
    assert reward(sample["response"], bare, laws).total == pytest.approx(HIGHEST)
    wrong = sample["response"].replace("Co-determination", "Information")
    assert reward(wrong, bare, laws).fields == 0.0


def test_without_sections_plain_sentences_earn_by_what_they_say(sample: Sample, laws: LawIndex) -> None:
    text = "Co-determination: owed to the Betriebsrat, § 87 Abs. 1 Nr. 6 BetrVG and § 90 Abs. 1 Nr. 3 BetrVG."
    plain = sample | {"response": text, "sections": []}
    assert reward(text, plain, laws).total == pytest.approx(HIGHEST)
    assert reward("Co-determination.", plain, laws).structure < 0.3
    assert reward(f"## Answer\n{text}", plain, laws).structure == 0.5


def test_json_earns_by_how_much_of_it_is_right(sample: Sample, laws: LawIndex) -> None:
    right = '{"change":"working_time","facts":{"DE":{"employees":120}},"missing":[]}'
    schema = '{"type":"object","required":["change","facts","missing"]}'
    intake = sample | {"task_type": "intake", "response": right, "output_schema": schema}
    assert reward(right, intake, laws).total == pytest.approx(HIGHEST)
    assert reward(right.replace("DE", "AT"), intake, laws).total == pytest.approx(0.4)
    assert reward("Germany, 120 employees", intake, laws).total == 0.0
