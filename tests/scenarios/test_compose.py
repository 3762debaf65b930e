"""What a trainer, a lawyer and an auditor may rely on in composed scenarios and samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median

import polars as pl
import pytest

from forge_assets.law.citations import LawIndex, parse
from forge_assets.law.model import Domain, Framework
from forge_assets.law.statutes import load_statutes
from forge_assets.scenarios.compose import SAMPLE_COLUMNS, SCENARIO_COLUMNS, compose, compose_cross_border
from forge_assets.scenarios.judge import judge
from forge_assets.scenarios.pack import Pack
from forge_resources.profile import load_profile
from forge_resources.store import digest

ROOT = Path(__file__).parents[2]
PACK = ROOT / "frameworks" / "labour"

FRESH = """
from pathlib import Path
from forge_assets.law.load import load_domain, load_framework
from forge_assets.scenarios.compose import compose
from forge_assets.scenarios.pack import load_pack
from forge_resources.store import digest
home = Path("frameworks/labour")
domain = load_domain(home)
framework = load_framework(home / "jurisdictions/de.yaml", domain)
statuses = {p.id: "verified" for p in framework.provisions}
tables = compose(domain, load_pack(home, domain), framework, statuses, "v")
print(digest([table.to_dicts() for table in tables]))
"""


def test_a_fresh_process_composes_the_same_rows() -> None:
    def composed(hash_seed: str) -> str:
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = [sys.executable, "-c", FRESH]
        return subprocess.run(run, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout

    assert composed("1") == composed("2") != ""


def test_ids_are_unique(scenarios: pl.DataFrame, samples: pl.DataFrame) -> None:
    assert scenarios["scenario_id"].is_unique().all()
    assert samples["sample_id"].is_unique().all()
    assert samples["prompt"].is_unique().all()


BESIDE_OUTDATED = {"CH:mitwirkungsgesetz:10:-:b", "CH:mitwirkungsgesetz:10:-:c"}
"""Always asked together with provisions of the Code of Obligations whose text held is not current."""


def test_every_verified_provision_is_taught_in_at_least_twenty_training_samples(
    samples: pl.DataFrame, frameworks: dict[str, Framework], statuses: dict[str, str]
) -> None:
    taught = samples.filter(pl.col("split") == "train").explode("expected_citations")
    counts = dict(taught.group_by("expected_citations").len().iter_rows())
    countries = [f for f in frameworks.values() if not f.members]
    wanted = {p.cite for f in countries for p in f.provisions if statuses[p.id] == "verified"} - BESIDE_OUTDATED
    assert {cite for cite in wanted if counts.get(cite, 0) < 20} == set()


def test_no_situation_of_another_split_is_trained_on_in_any_country(scenarios: pl.DataFrame) -> None:
    splits = scenarios.group_by("archetype", "change_type", "facts").agg(pl.col("split").n_unique())
    assert splits["split"].max() == 1


def test_a_sample_lies_in_its_scenarios_split_or_is_withheld(scenarios: pl.DataFrame, samples: pl.DataFrame) -> None:
    joined = samples.join(scenarios.select("scenario_id", drawn="split"), on="scenario_id", how="left")
    taught = joined.filter(pl.col("split") != "withheld")
    assert (taught["split"] == taught["drawn"]).all()


def test_splits_are_near_seventy_ten_twenty(scenarios: pl.DataFrame) -> None:
    shares = dict(scenarios.group_by("split").agg(pl.len() / len(scenarios)).iter_rows())
    assert shares["train"] == pytest.approx(0.70, abs=0.06)
    assert shares["validation"] == pytest.approx(0.10, abs=0.04)
    assert shares["benchmark"] == pytest.approx(0.20, abs=0.05)


def test_a_sample_is_withheld_exactly_if_it_rests_on_unverified_law(
    samples: pl.DataFrame, statuses: dict[str, str]
) -> None:
    for row in samples.iter_rows(named=True):
        assert row["provenance"]
        verified = all(statuses[p] == "verified" for p in row["provenance"])
        assert (row["split"] == "withheld") is not verified, row["sample_id"]


def test_nothing_of_the_outdated_dutch_text_is_taught(samples: pl.DataFrame) -> None:
    dutch = samples.filter(pl.col("jurisdictions").list.contains("NL"))
    assert len(dutch) > 0
    assert set(dutch["split"]) == {"withheld"}


def test_an_edited_summary_changes_only_samples_that_rest_on_it(
    domain: Domain, pack: Pack, frameworks: dict[str, Framework], statuses: dict[str, str]
) -> None:
    germany = frameworks["DE"]
    edited_one = germany.provisions[0]
    edited = germany.model_copy(
        update={
            "provisions": (
                edited_one.model_copy(update={"summary": "agreement on another subject"}),
                *germany.provisions[1:],
            )
        }
    )
    before = compose(domain, pack, germany, statuses, "1")[1]
    after = compose(domain, pack, edited, statuses, "2")[1]
    changed = before.filter(~pl.col("sample_id").is_in(after["sample_id"].to_list()))
    assert len(changed) > 0
    assert changed["provenance"].list.contains(edited_one.id).all()


def test_a_new_country_moves_no_sample_of_the_others(
    domain: Domain, pack: Pack, frameworks: dict[str, Framework], statuses: dict[str, str]
) -> None:
    versions = dict.fromkeys(frameworks, "v")
    two = [frameworks["DE"], frameworks["AT"]]
    fewer = compose_cross_border(domain, pack, two, statuses, versions)[1]
    more = compose_cross_border(domain, pack, [*two, frameworks["FR"]], statuses, versions)[1]
    assert len(more) > len(fewer) > 0
    assert set(fewer.select("sample_id", "split").rows()) <= set(more.select("sample_id", "split").rows())


def test_an_answer_cites_exactly_what_is_expected(
    domain: Domain, samples: pl.DataFrame, frameworks: dict[str, Framework]
) -> None:
    statutes = {code: load_statutes(PACK, f) for code, f in frameworks.items()}
    laws = LawIndex.build(domain, list(frameworks.values()), statutes)
    for row in samples.sample(600, seed=1).iter_rows(named=True):
        found = parse(row["response"], laws)
        assert [c.status for c in found] == ["real"] * len(found)
        assert {c.key for c in found} == set(row["expected_citations"])


def test_an_answer_has_its_sections_in_order_and_the_prompt_names_them(samples: pl.DataFrame) -> None:
    for row in samples.iter_rows(named=True):
        headings = [line[3:] for line in row["response"].splitlines() if line.startswith("## ")]
        assert headings == row["sections"]
        assert row["prompt"].endswith(f"Sections: {'; '.join(row['sections'])}.")


def test_the_expected_level_is_what_the_law_engine_finds_for_the_stated_facts(
    scenarios: pl.DataFrame, samples: pl.DataFrame, domain: Domain, frameworks: dict[str, Framework]
) -> None:
    facts = {row["scenario_id"]: json.loads(row["facts"]) for row in scenarios.iter_rows(named=True)}
    plain = samples.filter(pl.col("task_type") == "change_assessment")
    for row in plain.iter_rows(named=True):
        (code,) = row["jurisdictions"]
        found = judge(domain, frameworks[code], row["change_type"], facts[row["scenario_id"]])
        assert row["expected_level"] == found.level
        assert set(row["expected_citations"]) == {p.cite for p in found.applying}


def test_about_one_scenario_in_ten_leaves_nothing_to_do_and_says_so(
    scenarios: pl.DataFrame, samples: pl.DataFrame
) -> None:
    single = scenarios.filter(pl.col("jurisdictions").list.len() == 1)
    idle = single.filter(pl.col("applies").list.len() == 0)
    assert 0.05 <= len(idle) / len(single) <= 0.15
    nothing = samples.filter(pl.col("expected_level") == "none")
    assert nothing["response"].str.contains("No provision in the catalogue applies: ", literal=True).all()
    assert nothing["expected_citations"].list.len().max() == 0


def test_no_headcount_is_near_a_threshold(
    scenarios: pl.DataFrame, domain: Domain, frameworks: dict[str, Framework]
) -> None:
    for row in scenarios.filter(pl.col("jurisdictions").list.len() == 1).iter_rows(named=True):
        framework, facts = frameworks[row["jurisdictions"][0]], json.loads(row["facts"])
        for name in ("employees", "affected"):
            for factor in (0.8, 1.2):
                if name in facts:
                    near = facts | {name: round(facts[name] * factor)}
                    assert list(judge(domain, framework, row["change_type"], near).outcome) == row["applies"]


def test_no_works_council_stands_below_the_headcount_it_needs(
    scenarios: pl.DataFrame, frameworks: dict[str, Framework]
) -> None:
    for row in scenarios.iter_rows(named=True):
        facts = json.loads(row["facts"])
        for body in (b for code in row["jurisdictions"] for b in frameworks[code].bodies):
            if body.min_employees and facts.get(body.id):
                assert facts["employees"] >= body.min_employees


def test_every_task_is_asked_in_every_taught_country(samples: pl.DataFrame, pack: Pack) -> None:
    asked = samples.filter(pl.col("split") == "train").explode("jurisdictions")
    seen = set(asked.select("task_type", "jurisdictions").rows())
    assert {(task.id, code) for task in pack.tasks for code in ("DE", "AT", "FR", "ES")} <= seen


def test_a_consultation_plan_starts_with_the_weakest_duty(
    samples: pl.DataFrame, domain: Domain, frameworks: dict[str, Framework]
) -> None:
    levels: dict[str, set[int]] = {}
    for provision in (p for f in frameworks.values() for p in f.provisions):
        levels.setdefault(provision.cite, set()).add(domain.levels.index(provision.level))
    plans = samples.filter((pl.col("task_type") == "consultation_plan") & (pl.col("expected_citations").list.len() > 1))
    assert len(plans) > 0
    for cites in plans["expected_citations"]:
        ranks = [min(levels[cite]) for cite in cites if len(levels[cite]) == 1]
        assert all(a <= b for a, b in pairwise(ranks))


def test_an_escalation_is_asked_only_where_the_works_council_holds_the_strongest_duty(
    samples: pl.DataFrame,
) -> None:
    escalations = samples.filter(pl.col("task_type") == "escalation_analysis")
    assert set(escalations["expected_body"]) == {"works_council"}
    assert not escalations["expected_level"].is_in(["information", "none"]).any()


def test_a_data_review_finds_nothing_where_no_employee_is_watched_and_no_data_used(
    scenarios: pl.DataFrame, samples: pl.DataFrame
) -> None:
    facts = {row["scenario_id"]: json.loads(row["facts"]) for row in scenarios.iter_rows(named=True)}
    reviews = samples.filter(pl.col("task_type") == "data_protection_review")
    unwatched = [
        row
        for row in reviews.iter_rows(named=True)
        if not facts[row["scenario_id"]]["monitoring"] and not facts[row["scenario_id"]]["personal_data"]
    ]
    assert unwatched
    assert {row["expected_level"] for row in unwatched} == {"none"}


def test_prompts_and_answers_are_short_enough_to_train_on_a_cpu(samples: pl.DataFrame) -> None:
    def tokens(rows: pl.DataFrame, column: str) -> list[float]:
        return sorted(len(text) / 3.75 for text in rows[column])

    profile = load_profile("cpu")
    taught = samples.filter(pl.col("jurisdictions").list.eval(pl.element().is_in(profile.jurisdictions)).list.all())
    assert tokens(taught, "prompt")[int(0.95 * len(taught))] <= 80
    assert median(tokens(taught, "response")) <= 90
    assert max(tokens(taught, "response")) <= profile.answers.max_new_tokens


def test_tables_keep_their_columns_when_no_company_works_there(
    domain: Domain, pack: Pack, frameworks: dict[str, Framework]
) -> None:
    nobody = pack.model_copy(update={"companies": ()})
    empty_scenarios, empty_samples = compose(domain, nobody, frameworks["DE"], {}, "v")
    assert dict(empty_scenarios.schema) == SCENARIO_COLUMNS
    assert dict(empty_samples.schema) == SAMPLE_COLUMNS
    assert digest(empty_samples.to_dicts()) == digest([])
