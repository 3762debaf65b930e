"""What the law engine finds for real provisions: a state, and the tests that decided it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import product

import pytest

from forge_assets.law.engine import Facts, Finding, State, obligations
from forge_assets.law.explanation import condition_words, explain_finding
from forge_assets.law.model import Domain, Framework

SECOND_BAND = "employees at least 60 and employees at most 499 and affected at least 10% of employees"
ENDED = {"valid_to": dt.date(2026, 12, 31)}
LATE, EARLY = dt.date(2027, 1, 1), dt.date(2026, 8, 1)


def found(domain: Domain, framework: Framework, name: str, change: str, facts: Facts, on: dt.date | None) -> Finding:
    return next(f for f in obligations(domain, framework, change, facts, on) if f.provision.id == name)


@pytest.mark.parametrize(
    ("name", "change", "facts", "on", "state", "pulled", "said"),
    [
        pytest.param(
            *("de-monitoring-devices", "ai_system", {"monitoring": True, "works_council": True}, None),
            *(State.APPLIES, True, "triggered by monitoring; threshold met: works_council"),
            id="applies",
        ),
        pytest.param(
            *("de-redundancy-notice", "collective_redundancy", {"employees": 100, "affected": 10}, None),
            *(State.APPLIES, True, f"triggered by collective_dismissal; threshold met: {SECOND_BAND}"),
            id="applies by the second alternative",
        ),
        pytest.param(
            *("ch-employees-information", "restructuring", {"works_council": False}, None),
            *(State.APPLIES, True, "triggered by operational_change; threshold met: no works_council"),
            id="applies because there is none",
        ),
        pytest.param(
            *("eu-ai-workplace-information", "ai_system", {"high_risk": True}, EARLY),
            *(State.NOT_YET, True, "triggered by new_technology; not in force before 2026-08-02"),
            id="not yet in force",
        ),
        pytest.param(
            *("de-monitoring-devices", "ai_system", {"monitoring": True, "works_council": True}, LATE),
            *(State.NO_LONGER, True, "triggered by monitoring; no longer in force after 2026-12-31"),
            id="no longer in force",
        ),
        pytest.param(
            *("de-monitoring-devices", "ai_system", {"monitoring": True, "works_council": False}, None),
            *(State.MISSED, True, "triggered by monitoring; threshold not met: works_council"),
            id="missed",
        ),
        pytest.param(
            *("de-monitoring-devices", "ai_system", {"monitoring": True}, None),
            *(State.OPEN, True, "triggered by monitoring; not stated: works_council"),
            id="open at a threshold",
        ),
        pytest.param(
            *("de-monitoring-devices", "ai_system", {}, None),
            *(State.OPEN, False, "not triggered: needs monitoring; not stated: monitoring, works_council"),
            id="open at a trigger",
        ),
        pytest.param(
            *("de-monitoring-devices", "ai_system", {"works_council": False}, None),
            *(State.MISSED, False, "not triggered: needs monitoring; threshold not met: works_council"),
            id="missed, whatever the trigger",
        ),
        pytest.param(
            *("de-monitoring-devices", "ai_system", {"works_council": True}, LATE),
            *(State.NO_LONGER, False, "not triggered: needs monitoring; no longer in force after 2026-12-31"),
            id="no longer in force, whatever the trigger",
        ),
        pytest.param(
            *("de-monitoring-devices", "ai_system", {"monitoring": False, "works_council": True}, None),
            *(State.NOT_TRIGGERED, False, "not triggered: needs monitoring"),
            id="not triggered",
        ),
    ],
)
def test_a_provision_has_the_state_that_the_situation_gives_it(
    domain: Domain,
    frameworks: dict[str, Framework],
    name: str,
    change: str,
    facts: Facts,
    on: dt.date | None,
    state: State,
    pulled: bool,
    said: str,
) -> None:
    framework = frameworks[name[:2].upper()]
    dated = [p.model_copy(update=ENDED) if p.id == "de-monitoring-devices" else p for p in framework.provisions]
    finding = found(domain, framework.model_copy(update={"provisions": tuple(dated)}), name, change, facts, on)
    assert finding.state is state
    assert finding.triggered is pulled
    assert finding.applies is (state is State.APPLIES)
    assert "; ".join(explain_finding(finding)) == said


def test_a_threshold_that_is_met_says_which_tests_met_it_and_with_what(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    facts = {"employees": 100, "affected": 10}
    finding = found(domain, frameworks["DE"], "de-redundancy-notice", "collective_redundancy", facts, None)
    ((size, share),) = finding.tests
    assert (size.fact, size.bound.min, size.bound.max, size.value) == ("employees", 60, 499, 100)
    assert (share.fact, share.bound.min_share, share.bound.share_of, share.value) == ("affected", 0.1, "employees", 10)
    assert share.facts == ("affected", "employees")


def test_a_threshold_that_is_missed_says_what_failed_of_each_alternative(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    facts = {"employees": 100, "affected": 7}
    finding = found(domain, frameworks["DE"], "de-redundancy-notice", "collective_redundancy", facts, None)
    assert [[(test.fact, test.value) for test in tests] for tests in finding.tests] == [
        [("employees", 100)],
        [("affected", 7)],
        [("affected", 7)],
        [("employees", 100), ("affected", 7)],
    ]


def test_an_open_provision_names_every_fact_that_would_decide(domain: Domain, frameworks: dict[str, Framework]) -> None:
    finding = found(domain, frameworks["DE"], "de-monitoring-devices", "ai_system", {}, None)
    assert finding.hinges_on == ("monitoring", "works_council")
    assert finding.pulled == () and finding.tests == ()


def situations(domain: Domain, change: str) -> Iterator[Facts]:
    """Small, middling and large employers, with and without each yes/no fact, and with nothing stated."""
    yield {}
    numbers = [name for name, fact in domain.facts.items() if fact.type == "integer"]
    choices = [name for name, fact in domain.facts.items() if fact.type == "boolean"]
    for size, holds in product((3, 25, 120, 600), (True, False)):
        yield {**dict.fromkeys(choices, holds), **dict.fromkeys(numbers, size)}
        yield {**dict.fromkeys(choices, holds), **dict.fromkeys(numbers, size), "affected": size // 10}
        yield dict.fromkeys(choices, holds)


def test_every_finding_of_the_pack_rests_on_tests_of_its_own_provision(
    domain: Domain, frameworks: dict[str, Framework]
) -> None:
    met: set[State] = set()
    for framework, change in product(frameworks.values(), domain.change_types):
        for facts in situations(domain, change):
            for finding in obligations(domain, framework, change, facts, EARLY):
                met.add(finding.state)
                asked = finding.provision.applies_when
                if finding.state is State.APPLIES or (finding.state is State.JUDGED and finding.tests):
                    tried = [{test.fact: test.bound for test in tests} for tests in finding.tests]
                    assert tried == ([] if not asked else [c for c in asked if c == tried[0]][:1])
                    assert not finding.tests or all(test.value == facts[test.fact] for test in finding.tests[0])
                elif finding.state is State.MISSED:
                    assert len(finding.tests) == len(asked)
                    for tests, condition in zip(finding.tests, asked, strict=True):
                        assert {test.fact: test.bound for test in tests}.items() <= condition.items()
                        assert tests
                elif finding.state is State.JUDGED:
                    assert finding.provision.only_if
                else:
                    assert finding.tests == ()
                assert (finding.state is State.OPEN) is bool(finding.hinges_on)
                assert not facts.keys() & set(finding.hinges_on)
    assert met == set(State) - {State.NO_LONGER}  # no rule of the pack has ended


def test_a_threshold_reads_alternative_by_alternative(frameworks: dict[str, Framework]) -> None:
    notice = next(p for p in frameworks["DE"].provisions if p.id == "de-redundancy-notice")
    assert condition_words(notice.applies_when) == (
        "employees at least 21 and employees at most 59 and affected at least 6; or "
        "employees at least 60 and employees at most 499 and affected at least 10% of employees; or "
        "employees at least 60 and employees at most 499 and affected at least 26; or "
        "employees at least 500 and affected at least 30"
    )
