"""Comparisons of two, three and four countries, as composed from the shipped law of some of them."""

from __future__ import annotations

import json
from collections.abc import Iterable

import polars as pl
import pytest

from forge_assets.citations.rendering import without_bracketed_citations
from forge_assets.law.country import Country, checked_country
from forge_assets.law.engine import obligations
from forge_assets.law.model import Bound, Domain, Framework
from forge_assets.scenarios.answers.composer import AnswerComposer
from forge_assets.scenarios.composition.comparisons import compose_comparisons, draw_sites
from forge_assets.scenarios.composition.country_groups import CHAINS, groups_of
from forge_assets.scenarios.composition.judged_cells import Volume, judge_draws
from forge_assets.scenarios.composition.single_country import LawLineage
from forge_assets.scenarios.pack.files import Pack
from forge_assets.scenarios.prompts.tables import sample_tables
from tests import shipped

pytestmark = pytest.mark.slow
"""Composing what compares countries takes a minute; `test_comparison.py` has the witnesses."""

CODES = ("AT", "BE", "CH", "DE", "FR", "LU")
NAMES = {"AT": "Austria", "BE": "Belgium", "CH": "Switzerland", "DE": "Germany", "FR": "France", "LU": "Luxembourg"}
DUTIES = {"DE": "DE:ebrg:30:1", "FR": "FR:code_du_travail:L2343-4", "LU": "LU:code_du_travail:L.432-42:2"}


def compared(
    change: str, frameworks: Iterable[Framework], law: LawLineage, volume: Volume
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scenarios and samples of one change."""
    domain, pack = shipped.domain(), shipped.pack()
    union = shipped.countries()["EU"].framework
    said = sorted((without_bracketed_citations(f, domain.citation) for f in frameworks), key=lambda f: f.jurisdiction)
    answers = AnswerComposer(domain, pack, law.statuses, (*said, union))
    drawn = draw_sites(domain, pack, change, volume)
    judged = [judge_draws(domain, pack, answers, f, change, drawn) for f in said]
    groups = groups_of(pack.neighbours, [f.jurisdiction for f in said])
    parts = compose_comparisons(domain, pack, answers, judged, [union], groups, volume)
    return sample_tables(domain, pack, law.versions, parts)


@pytest.fixture(scope="module")
def closures() -> tuple[pl.DataFrame, pl.DataFrame]:
    frameworks = [shipped.core_frameworks()[code] for code in CODES]
    return compared("site_closure", frameworks, shipped.lineage(), Volume(draws=32, kept=6))


def cases(tables: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    scenarios, samples = tables
    facts = scenarios.select("scenario_id", "facts", drawn="split")
    return samples.join(facts, on="scenario_id", how="left")


def test_two_three_and_four_countries_are_compared_and_larger_groups_are_fewer(
    closures: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    sizes = dict(closures[1].group_by(pl.col("jurisdictions").list.len()).len().iter_rows())
    assert sizes[2] > sizes[3] > 0 and sizes[2] > sizes[4] > 0
    assert (closures[1]["jurisdictions"].list.n_unique() == closures[1]["jurisdictions"].list.len()).all()


def test_each_country_is_asked_about_with_its_own_facts(closures: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    asked = cases(closures).filter((pl.col("register") == "note") & (pl.col("jurisdictions").list.len() > 2))
    assert asked.height > 10
    for row in asked.iter_rows(named=True):
        facts = json.loads(row["facts"])
        assert list(facts) == sorted(row["jurisdictions"])
        for code, site in facts.items():
            told = next(part for part in row["prompt"].split(f"{NAMES[code]}: ")[1:])
            own = told.split(";")[0] if ";" in told else told.split(". ")[0]
            assert str(site["employees"]) in own


def test_every_country_of_a_comparison_is_in_its_answer(closures: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    for row in closures[1].iter_rows(named=True):
        for code in row["jurisdictions"]:
            assert f"- {NAMES[code]}: " in row["response"] or f"{NAMES[code]}: " in row["response"]


def test_a_case_of_several_sites_is_in_one_split(closures: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    scenarios = closures[0]
    stated = scenarios.group_by("archetype", "facts").agg(pl.col("split").n_unique())
    assert stated["split"].max() == 1
    larger = scenarios.filter(pl.col("jurisdictions").list.len() > 2)
    assert set(larger["split"]) == {"train", "validation", "benchmark"}


def test_the_group_is_at_least_what_its_sites_in_the_union_add_up_to(
    closures: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    told = 0
    for row in cases(closures).iter_rows(named=True):
        facts = json.loads(row["facts"])
        inside = [site for code, site in facts.items() if code != "CH"]
        total, states = (facts[row["jurisdictions"][0]].get(name) for name in ("union_employees", "union_states"))
        if total is not None:
            told += 1
            counted = sum(site["employees"] >= 150 for site in inside)
            assert total >= sum(site["employees"] for site in inside)
            assert states >= counted
            assert total - sum(site["employees"] for site in inside) >= 150 * (states - counted)
    assert told > 100


def test_the_size_of_the_group_and_its_seat_are_told_where_law_on_several_countries_is_held_and_nowhere_else(
    closures: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    for row in cases(closures).iter_rows(named=True):
        home, *others = row["jurisdictions"]
        concerns = home in DUTIES and bool(set(others) - {"CH"})
        assert ("union_employees" in json.loads(row["facts"])[home]) is concerns
        assert (
            any(said in row["prompt"] for said in ("Central management", "is run from", "head office is")) is concerns
        )


def test_the_european_works_council_stands_first_exactly_where_its_thresholds_are_met(
    closures: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    seen = set()
    for row in cases(closures).filter(pl.col("depth") == "advice").iter_rows(named=True):
        home, *others = row["jurisdictions"]
        facts = json.loads(row["facts"])[home]
        met = facts.get("union_employees", 0) >= 1000 and facts.get("union_states", 0) >= 2
        asked = home == "DE" or bool(facts.get("representatives_ask"))
        due = home in DUTIES and bool(set(others) - {"CH"}) and met and asked
        steps = row["response"].split("## Common timetable\n")[1].splitlines()
        assert ("European works council" in steps[0]) is due
        assert not any("European works council" in step for step in steps[1:])
        assert (DUTIES.get(home) in row["expected_citations"]) is due
        if due:
            assert ("DE:ebrg:1:7" in row["expected_citations"]) is (home == "DE")
            assert ("no text held says" in steps[0].lower()) is (home != "DE")
        seen.add((home in DUTIES, due))
    assert seen == {(True, True), (True, False), (False, False)}


def test_national_bodies_follow_in_the_order_of_the_countries(closures: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    longer = closures[1].filter((pl.col("depth") == "advice") & (pl.col("jurisdictions").list.len() > 2))
    assert longer.height > 5
    for row in longer.iter_rows(named=True):
        steps = row["response"].split("## Common timetable\n")[1].splitlines()
        told = [code for step in steps for code in row["jurisdictions"] if f". {NAMES[code]}, " in step]
        places = [row["jurisdictions"].index(code) for code in told]
        assert places == sorted(places)


def test_the_strictest_countries_are_those_that_the_law_engine_finds(
    closures: tuple[pl.DataFrame, pl.DataFrame], domain: Domain, frameworks: dict[str, Framework]
) -> None:
    ties = 0
    for row in cases(closures).filter(pl.col("jurisdictions").list.len() > 2).iter_rows(named=True):
        facts = json.loads(row["facts"])
        ranks = {}
        for code in row["jurisdictions"]:
            found = obligations(domain, frameworks[code], "site_closure", facts[code])
            held = [f.provision.level for f in found if f.applies and f.provision.level in domain.levels]
            ranks[code] = max((domain.levels.index(level) for level in held), default=-1)
        top = {code for code, rank in ranks.items() if rank == max(ranks.values())}
        ties += 1 < len(top) < len(ranks)
        verdict = row["response"].split("\n- ")[0]
        if len(top) == len(ranks):
            assert row["variant"] == "same_level"
        elif len(top) == 1:
            assert (
                f"{NAMES[next(iter(top))]} is stricter" in verdict
                or f"{NAMES[next(iter(top))]} asks for more" in verdict
            )
        else:
            assert "they ask for most" in verdict
            assert all(NAMES[code] in verdict.split(" against ")[0] for code in top)
    assert ties > 0


def test_plain_questions_name_no_headings(closures: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    plain = closures[1].filter(pl.col("register") == "plain")
    assert plain.height > 50
    for prompt in plain["prompt"]:
        assert "Stricter; By country" not in prompt


def test_the_same_law_gives_the_same_comparisons(closures: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    frameworks = [shipped.core_frameworks()[code] for code in reversed(CODES)]
    again = compared("site_closure", frameworks, shipped.lineage(), Volume(draws=32, kept=6))
    assert again[1].equals(closures[1])


def test_a_new_country_moves_no_comparison_of_the_others(closures: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    frameworks = [shipped.core_frameworks()[code] for code in CODES if code != "BE"]
    fewer = compared("site_closure", frameworks, shipped.lineage(), Volume(draws=32, kept=6))[1]
    assert fewer.height > 0
    assert set(fewer["sample_id"]) <= set(closures[1]["sample_id"])


@pytest.mark.parametrize(
    ("cite", "edit"),
    [
        ("DE:ebrg:30:1", {"summary": "information on another subject"}),
        ("DE:ebrg:1:7", {"summary": "information of the council in another order"}),
        ("DE:ebrg:30:1", {"applies_when": ({"union_employees": Bound(min=3000), "union_states": Bound(min=2)},)}),
        ("FR:code_du_travail:L2312-39", {"level": "co_determination"}),
    ],
)
def test_an_edited_provision_changes_only_the_comparisons_that_name_it(
    domain: Domain, countries: dict[str, Country], cite: str, edit: dict[str, object]
) -> None:
    code = cite[:2]
    old = countries[code]
    named = next(p for p in old.framework.provisions if str(p.cite) == cite)
    provisions = tuple(p.model_copy(update=edit) if p.id == named.id else p for p in old.framework.provisions)
    new = checked_country(domain, old.framework.model_copy(update={"provisions": provisions}), old.statutes)

    def rows(changed: Country) -> pl.DataFrame:
        held = [changed if c == code else countries[c] for c in ("AT", "DE", "FR", "LU")]
        law = LawLineage.of([*held, countries["EU"]])
        return compared("site_closure", [c.framework.core() for c in held], law, Volume(draws=16, kept=4))[1]

    before, after = rows(old), rows(new)
    gone = before.join(after, on="sample_id", how="anti")
    come = after.join(before, on="sample_id", how="anti")
    names = pl.col("provenance").list.contains(named.id)
    kept = before.join(after, on=["sample_id", "provenance_versions"], how="semi")
    assert kept.height > 0
    assert kept.filter(names).is_empty()
    assert gone.filter(~names).is_empty()
    assert come.filter(~names).is_empty()


def test_chains_of_neighbours_are_compared_and_few_other_groups(pack: Pack) -> None:
    groups = groups_of(pack.neighbours, pack.neighbours)
    assert ("AT", "CH", "DE") in groups[3]
    assert groups.keys() == CHAINS.keys()
    assert all(len(groups[size]) < 150 for size in groups)
    assert all(list(group) == sorted(set(group)) for size in groups for group in groups[size])
