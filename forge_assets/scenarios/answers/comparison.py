"""Compare judgements of several countries: which asks for most, and in what order all their bodies take part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from forge_assets.law.engine import Finding
from forge_assets.law.model import Domain, Framework, Provision
from forge_assets.scenarios.answers.judgement import Judgement, level_rank


@dataclass(frozen=True)
class CountryLevel:
    """A country's place in a comparison."""

    judged: Judgement
    place: int
    """1 for the countries that ask for most; equal levels share a place."""


@dataclass(frozen=True)
class Ranking:
    """Countries by the strongest duty of each on the obligation ladder."""

    countries: tuple[CountryLevel, ...]
    """Strictest first, equals in the order given."""

    @property
    def strictest(self) -> tuple[Judgement, ...]:
        """The countries that ask for most; all of them where none asks for more than another."""
        return tuple(country.judged for country in self.countries if country.place == 1)

    @property
    def others(self) -> tuple[Judgement, ...]:
        """The countries that ask for less, strictest first."""
        return tuple(country.judged for country in self.countries if country.place > 1)


def rank_countries(domain: Domain, judged: Sequence[Judgement]) -> Ranking:
    """Rank countries by the strongest duty of each; where nobody takes part a country stands last."""
    ranks = [level_rank(domain, each) for each in judged]
    placed = [CountryLevel(each, 1 + sum(other > ranks[i] for other in ranks)) for i, each in enumerate(judged)]
    return Ranking(tuple(sorted(placed, key=lambda country: country.place)))


class Reason(Enum):
    """Why a step stands where it does in a common timetable."""

    SEVERAL_COUNTRIES = "the change concerns several countries, and the body of all of them is told of it"
    LADDER = "within a country, information comes before consultation, consultation before agreement"


@dataclass(frozen=True)
class TimetableStep:
    """A duty at its place in the common timetable of several countries."""

    framework: Framework
    """Of the country whose law it is."""
    provision: Provision
    reason: Reason
    ordered_by: Provision | None = None
    """The provision held that says that it stands here; None: no text held says so."""

    @property
    def order_stated(self) -> bool:
        """Whether a provision held says in what order this body and the national ones come."""
        return self.ordered_by is not None

    @property
    def condition(self) -> str | None:
        """What a person must judge before the duty applies; None: nothing."""
        return self.provision.only_if


def timetable(domain: Domain, judged: Sequence[Judgement], across: Sequence[Finding] = ()) -> tuple[TimetableStep, ...]:
    """List the duties of all countries in order: to the body of several countries, then to the national bodies.

    National duties come country by country, home first, the weakest first; those in which nobody takes part are left
    out.

    Args:
        judged: home first.
        across: how the home country's provisions on a change in several countries stand to this one: duties, and links
            that say in what order they come.
    """
    holds = [finding.provision for finding in across if finding.applies]
    link = next((p for p in holds if p.order is not None), None)
    steps = [TimetableStep(judged[0].framework, p, Reason.SEVERAL_COUNTRIES, link) for p in holds if p.order is None]
    for country in judged:
        duties = [p for p in country.applying if p.level in domain.levels]
        duties.sort(key=lambda p: domain.levels.index(p.level))
        steps += [TimetableStep(country.framework, p, Reason.LADDER) for p in duties]
    return tuple(steps)
