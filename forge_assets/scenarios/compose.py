"""Scenarios and samples: every prompt and reference answer, composed from the law engine's findings alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import polars as pl

from forge_assets.law.citations import spoken
from forge_assets.law.model import Domain, Framework
from forge_assets.law.verify import text_is_current
from forge_assets.scenarios.blocks import BLOCKS, Case, facts_in_words
from forge_assets.scenarios.judge import Judgement, judge
from forge_assets.scenarios.pack import Pack, TaskType
from forge_assets.scenarios.situations import Situation, situations
from forge_resources.store import canonical, digest

TASKS_PER_SCENARIO = 3
TRAIN_WORDINGS = 2
"""Prompts a training scenario and task give; other splits ask once."""
CROSS_BORDER_KEPT = 2
"""Situations a company and change give to each pair of countries."""
CROSS_BORDER_DRAWS = 12
SPLITS = (("train", 70), ("validation", 80), ("benchmark", 100))
"""Split and the percentile it ends at."""

_STRINGS = pl.List(pl.String)
SCENARIO_COLUMNS: dict[str, Any] = {
    "scenario_id": pl.String,
    "jurisdictions": _STRINGS,
    "archetype": pl.String,
    "change_type": pl.String,
    "facts": pl.String,
    "applies": _STRINGS,
    "split": pl.String,
}
SAMPLE_COLUMNS: dict[str, Any] = {
    "sample_id": pl.String,
    "scenario_id": pl.String,
    "jurisdictions": _STRINGS,
    "task_type": pl.String,
    "variant": pl.String,
    "split": pl.String,
    "system": pl.String,
    "prompt": pl.String,
    "response": pl.String,
    "sections": _STRINGS,
    "expected_citations": _STRINGS,
    "expected_level": pl.String,
    "expected_body": pl.String,
    "levels": _STRINGS,
    "change_type": pl.String,
    "provenance": _STRINGS,
    "framework_versions": _STRINGS,
}


def compose(
    domain: Domain, pack: Pack, framework: Framework, statuses: Mapping[str, str], version: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scenarios and samples of one country; none of a union, whose law is asked through its members.

    Args:
        statuses: provision id to its verification status; a sample that rests on one that is not `verified`
            has split `withheld`.
        version: the framework's version hash, carried as provenance.

    Returns:
        Tables `scenarios.scenarios` and `scenarios.samples`, sorted by id; facts are canonical JSON.
    """
    framework = spoken(framework, domain.citation)
    found = [] if framework.members else situations(domain, pack, [framework])
    return _tables(domain, pack, [([framework], s) for s in found], statuses, {framework.jurisdiction: version})


def compose_cross_border(
    domain: Domain,
    pack: Pack,
    frameworks: Sequence[Framework],
    statuses: Mapping[str, str],
    versions: Mapping[str, str],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scenarios and samples that compare two countries; `versions` is by jurisdiction.

    Provision ids are unique across frameworks, so `statuses` holds those of all of them.
    """
    placed: list[tuple[Sequence[Framework], Situation]] = []
    asked = [spoken(f, domain.citation) for f in frameworks if not f.members]
    countries = sorted(asked, key=lambda f: f.jurisdiction)
    for pair in combinations(countries, 2):
        for situation in situations(domain, pack, pair, CROSS_BORDER_KEPT, CROSS_BORDER_DRAWS):
            home_first = int(digest([situation.identity, *(f.jurisdiction for f in pair)]), 16) % 2
            placed.append((pair if home_first else pair[::-1], situation))
    return _tables(domain, pack, placed, statuses, versions)


def split_of(identity: str) -> str:
    """The split a situation falls in, by its content hash alone."""
    percentile = int(digest(["split", identity]), 16) % 100
    return next(name for name, end in SPLITS if percentile < end)


def _tables(
    domain: Domain,
    pack: Pack,
    placed: Sequence[tuple[Sequence[Framework], Situation]],
    statuses: Mapping[str, str],
    versions: Mapping[str, str],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    scenarios, samples = [], []
    for frameworks, situation in placed:
        judged = tuple(judge(domain, f, situation.change, situation.facts) for f in frameworks)
        scenario = _scenario(situation, judged)
        eligible = [t for t in pack.tasks if t.countries == len(judged) and _fits(domain, t, situation, judged)]
        eligible.sort(key=lambda task: digest([scenario["scenario_id"], task.id]))
        for task in eligible[:TASKS_PER_SCENARIO]:
            for wording in range(TRAIN_WORDINGS if scenario["split"] == "train" else 1):
                samples.append(_sample(domain, pack, task, situation, judged, scenario, statuses, versions, wording))
        if eligible:
            scenarios.append(scenario)
    return (
        pl.DataFrame(scenarios, schema=SCENARIO_COLUMNS).sort("scenario_id"),
        pl.DataFrame(samples, schema=SAMPLE_COLUMNS).sort("sample_id"),
    )


def _scenario(situation: Situation, judged: Sequence[Judgement]) -> dict[str, Any]:
    countries = [j.framework.jurisdiction for j in judged]
    return {
        "scenario_id": digest({"jurisdictions": countries, "situation": situation.identity})[:24],
        "jurisdictions": countries,
        "archetype": situation.company.id,
        "change_type": situation.change,
        "facts": canonical(situation.facts).decode(),
        "applies": [p.id for j in judged for p in j.applying],
        "split": split_of(situation.identity),
    }


def _fits(domain: Domain, task: TaskType, situation: Situation, judged: Sequence[Judgement]) -> bool:
    if situation.change not in task.changes:
        return False
    scoped = _scoped(domain, task, situation, judged)
    if not all(j.grounded for j in scoped):
        return False
    leads = [j.lead for j in scoped if j.lead]
    if not leads:
        return task.when_nothing_applies
    if any(s.block == "escalation" for s in task.sections) and not all(j.framework.escalation for j in judged):
        return False
    if task.body is not None and all(p.body != task.body for p in leads):
        return False
    if task.lowest_level is not None:
        lowest = domain.levels.index(task.lowest_level)
        return any(domain.levels.index(p.level) >= lowest for p in leads)
    return True


def _scoped(domain: Domain, task: TaskType, situation: Situation, judged: Sequence[Judgement]) -> tuple[Judgement, ...]:
    if task.scope == "all":
        return tuple(judged)
    return tuple(judge(domain, j.framework, situation.change, situation.facts, True) for j in judged)


def _sample(
    domain: Domain,
    pack: Pack,
    task: TaskType,
    situation: Situation,
    judged: Sequence[Judgement],
    scenario: Mapping[str, Any],
    statuses: Mapping[str, str],
    versions: Mapping[str, str],
    wording: int,
) -> dict[str, Any]:
    scoped = _scoped(domain, task, situation, judged)
    seed = int(digest([scenario["scenario_id"], task.id, "wording"]), 16)
    words = pack.vocabulary
    changes = words.changes[situation.change]
    change = changes[(seed + wording) % len(changes)]
    question = task.questions[(seed // 7 + wording) % len(task.questions)]
    case = Case(domain, words, situation, change, scoped, _deciding(domain, situation, scoped))
    parts = [(s.heading, BLOCKS[s.block](case)) for s in task.sections]
    frame = words.frames[(seed // 77 + wording) % len(words.frames)]
    prompt = frame.format(
        country=" and ".join(j.framework.name for j in judged),
        company=situation.company.name,
        sector=situation.company.sector,
        facts=("per country " if len(judged) > 1 else "") + facts_in_words(case, situation.facts),
        change=change,
        question=question.text,
    )
    headings = [heading for heading, _ in parts]
    strongest = max(scoped, key=lambda j: domain.levels.index(j.level) if j.lead else -1)
    considered = [p.id for j in scoped for p in j.considered]
    current = all(statuses.get(p) == "verified" for p in considered) and all(
        _text_is_current(j.framework, key) for j in scoped for _, part in parts for key in part.citations
    )
    row = {
        "scenario_id": scenario["scenario_id"],
        "jurisdictions": scenario["jurisdictions"],
        "task_type": task.id,
        "variant": question.asker,
        "split": scenario["split"] if current else "withheld",
        "system": domain.system_prompt,
        "prompt": f"{prompt} Sections: {'; '.join(headings)}.",
        "response": "\n".join(f"## {heading}\n{part.text}" for heading, part in parts),
        "sections": headings,
        "expected_citations": list(dict.fromkeys(key for _, part in parts for key in part.citations)),
        "expected_level": strongest.level,
        "expected_body": strongest.body.id if strongest.body else "",
        "levels": list(domain.levels),
        "change_type": situation.change,
        "provenance": considered,
        "framework_versions": [versions[c] for c in scenario["jurisdictions"]],
    }
    identity = {name: row[name] for name in ("scenario_id", "task_type", "system", "prompt", "response")}
    return {"sample_id": digest(identity)[:24], **row}


def _text_is_current(framework: Framework, key: str) -> bool:
    """False where the key is of this framework and the statute text held of it is outdated."""
    jurisdiction, law_id = key.split(":")[:2]
    laws = {law.id: law for law in framework.laws}
    return jurisdiction != framework.jurisdiction or text_is_current(key, laws[law_id])


def _deciding(domain: Domain, situation: Situation, scoped: Sequence[Judgement]) -> tuple[str, ...]:
    """Facts that leave nothing to apply: where a threshold failed, else the conditions that do not hold."""
    missed = tuple(name for j in scoped for name in j.missed)
    conditions = [c.fact for c in domain.change_types[situation.change].conditional_triggers]
    unmet = tuple(name for name in conditions if not situation.facts.get(name))
    return tuple(dict.fromkeys(missed or unmet or situation.facts))
