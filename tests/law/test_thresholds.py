"""Numeric thresholds, tried pair by pair: what the engine says against a second reading of the statute.

All provisions of a reading must apply to exactly the numbers that the statute names (tests/law/threshold_readings.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import floor

import pytest

from forge_assets.law.country import Country, country_files
from forge_assets.law.engine import Facts, State, obligations
from forge_assets.law.loading import read_framework
from forge_assets.law.model import ChangeType, Domain, Framework, Provision
from forge_assets.law.settling import settle
from forge_assets.law.statutes import squeezed
from tests import shipped
from tests.helpers import tiered
from tests.law.threshold_readings import OF_SIZE, READINGS, Reading

EMPLOYERS = sorted({*range(1, 330), *range(330, 701, 10), *range(495, 506), *range(595, 606)})
"""Sizes at which every number of dismissals is tried: all up to 329, then steps, and all at the edges of a band."""
LARGEST_OF_ALL = 1100
"""Employer up to which thresholds of size alone are tried."""
NOT_YET_READ = {"CY", "HU", "IT", "LV"}
"""Countries whose file, or whose act on collective dismissals, may still be missing."""


def country_of(reading: Reading) -> Country:
    """Give the country, read as the product reads it."""
    country = shipped.countries().get(reading.country)
    law = reading.place.split(":")[1]
    held = country is not None and any(p.cite.law == law for p in country.framework.provisions)
    if not held and reading.country in NOT_YET_READ:
        pytest.skip(f"no provision of {reading.country}:{law}")
    return shipped.countries()[reading.country]


def governed(reading: Reading, country: Country, readings: list[Reading]) -> list[Provision]:
    """List the provisions for which this reading is the first that fits."""
    rivals = [r for r in readings if r.country == reading.country]
    return [p for p in country.framework.provisions if next((r for r in rivals if _fits(r, p)), None) is reading]


def _fits(reading: Reading, provision: Provision) -> bool:
    return any(re.fullmatch(reading.provisions, name) for name in (provision.id, str(provision.cite)))


@dataclass(frozen=True)
class Trial:
    """One provision put to the engine, all but the numbers being such that it applies."""

    domain: Domain
    alone: Framework
    """A framework with nothing but the provision."""
    reach: Framework
    """The same, the provision without conditions of its own: it applies wherever the body that it is owed to exists."""
    choices: Facts
    """Every yes/no fact."""
    also: Callable[[int], Facts]

    def applies(self, employees: int, affected: int) -> bool:
        """Ask the engine."""
        return self._asked(self.alone, employees, affected)

    def reached(self, employees: int) -> bool:
        """Say whether the body exists at that size: what is owed to a works trustee ends where a council begins."""
        return not self.reach.provisions[0].applies_when or self._asked(self.reach, employees, 1)

    def _asked(self, framework: Framework, employees: int, affected: int) -> bool:
        """Ask of a change that pulls every trigger. What else a person must judge counts as met."""
        facts = {**self.choices, **self.also(employees), "employees": employees, "affected": affected}
        (finding,) = obligations(self.domain, framework, "any", facts)
        return finding.state in (State.APPLIES, State.JUDGED)

    def row(self, employees: int) -> Iterator[bool]:
        """Say of 1 to `employees` dismissals whether it applies, asking only where a bound of it can turn."""
        turns = sorted({1, *(n for n in self._turns(employees) if 1 < n <= employees)})
        for start, end in zip(turns, [*turns[1:], employees + 1], strict=True):
            yield from [self.applies(employees, start)] * (end - start)

    def _turns(self, employees: int) -> Iterator[int]:
        bounds = [
            condition["affected"] for condition in self.alone.provisions[0].applies_when if "affected" in condition
        ]
        for value in [v for bound in bounds for v in bound.model_dump().values() if isinstance(v, int | float)]:
            at = floor(Fraction(str(value)) * (employees if isinstance(value, float) else 1))
            yield from (at, at + 1)


@cache
def bodies_alone(country: str) -> dict[str, Provision]:
    """Map the ids of a country's provisions to what their bodies' existence alone asks."""
    written, _ = read_framework(country_files(shipped.PACK)[country], shipped.domain())
    bare = tuple(p.model_copy(update={"applies_when": ()}) for p in written.provisions)
    return {p.id: p for p in settle(shipped.domain(), written.model_copy(update={"provisions": bare})).provisions}


def trials(domain: Domain, reading: Reading, provision: Provision) -> Iterator[Trial]:
    """Try each set of yes/no facts that the provision joins to numbers, with what its other sets ask denied.

    So a wrong number of the union's alternative does not hide behind the right one of the works council's.
    """
    also = reading.also or (lambda employees: {})
    framework = shipped.countries()[reading.country].framework
    alone, reach = (
        framework.model_copy(update={"provisions": (p,)})
        for p in (provision, bodies_alone(reading.country)[provision.id])
    )
    every: Facts = {name: True for name, fact in domain.facts.items() if fact.type == "boolean"}
    wanted: list[Facts] = []
    for condition in provision.applies_when:
        asked = {n: b.is_ for n, b in condition.items() if b.is_ is not None and n not in also(1)}
        if asked not in wanted and any(bound.is_numeric for bound in condition.values()):
            wanted.append(asked)
    for asked in wanted or [{}]:
        denied = {name: not value for other in wanted for name, value in other.items()}
        yield Trial(domain, alone, reach, {**every, **denied, **asked}, also)


@pytest.fixture(scope="module")
def any_change() -> Domain:
    """The shipped vocabulary, and a change that pulls every trigger."""
    domain = shipped.domain()
    change = ChangeType(title="any change", triggers=tuple(domain.triggers))
    return domain.model_copy(update={"change_types": {"any": change}})


def wrong_pairs(reading: Reading, domain: Domain, provision: Provision) -> list[tuple[int, int]]:
    """List (employees, affected) where the engine and the statute differ."""
    return [
        (employees, affected)
        for trial in trials(domain, reading, provision)
        for employees in EMPLOYERS
        for reached in [trial.reached(employees)]
        for affected, applies in enumerate(trial.row(employees), 1)
        if applies is not (reached and reading.met(employees, affected))
    ]


def wrong_sizes(reading: Reading, domain: Domain, provision: Provision) -> list[int]:
    """List sizes of employers where the engine and the statute differ, whoever is affected."""
    return [
        n
        for trial in trials(domain, reading, provision)
        for n in range(1, LARGEST_OF_ALL + 1)
        if trial.applies(n, n) is not (trial.reached(n) and reading.met(n, n))
    ]


def _differing(provisions: list[Provision], wrong: Callable[[Provision], Sequence[object]]) -> dict[str, str]:
    """Say what is wrong with which provision; those that ask the same are tried once."""
    reach = {p.id: bodies_alone(str(p.cite.jurisdiction))[p.id] for p in provisions}
    asked = {p.id: f"{p.applies_when} {p.only_if} {reach[p.id].applies_when}" for p in provisions}
    tried = {asked[p.id]: wrong(p) for p in {asked[p.id]: p for p in provisions}.values()}
    found = {name: tried[what] for name, what in asked.items()}
    return {name: f"{len(cases)} cases, such as {cases[:3]}" for name, cases in found.items() if cases}


def _named(reading: Reading) -> str:
    return f"{reading.place} {reading.met.__name__}"


@pytest.mark.parametrize("reading", [*READINGS, *OF_SIZE], ids=_named)
def test_the_words_of_a_reading_stand_in_the_statute(reading: Reading) -> None:
    _, law, unit = reading.place.split(":")
    text = squeezed(country_of(reading).statutes[law][unit].text)
    assert [words for words in reading.words if words not in text] == []


@pytest.mark.parametrize("reading", tiered(READINGS, 8), ids=_named)
def test_every_pair_of_numbers_is_judged_as_the_statute_words_it(any_change: Domain, reading: Reading) -> None:
    provisions = governed(reading, country_of(reading), READINGS)
    assert provisions
    assert _differing(provisions, lambda p: wrong_pairs(reading, any_change, p)) == {}


@pytest.mark.parametrize("reading", tiered(OF_SIZE, 8), ids=lambda r: f"{r.place} {r.words[0]}")
def test_every_size_is_judged_as_the_statute_words_it(any_change: Domain, reading: Reading) -> None:
    provisions = governed(reading, country_of(reading), [*READINGS, *OF_SIZE])
    assert provisions
    assert _differing(provisions, lambda p: wrong_sizes(reading, any_change, p)) == {}


def test_every_provision_that_counts_those_affected_has_a_second_reading() -> None:
    counting = [
        provision
        for country in shipped.countries().values()
        for provision in country.framework.provisions
        if any("affected" in condition for condition in provision.applies_when)
    ]
    assert counting
    unread = [p.id for p in counting if not any(r.country == p.cite.jurisdiction and _fits(r, p) for r in READINGS)]
    assert unread == []
