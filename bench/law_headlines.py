"""Count composed answers whose first line the statute contradicts: the faults found by reading, one rule each.

    python bench/law_headlines.py [--draws 48]

Composes the whole pack of this checkout, every provision that stands in current text, and prints a line a rule: how
many of the samples that may be taught or asked are so. A rule is what a reading of the statute text found to be wrong;
it names the statute's words. Run it in another checkout (with this file copied there) to compare.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

PACK = Path(__file__).parents[1] / "frameworks" / "labour"
SITES = ("restructuring", "site_closure", "site_merger", "site_relocation")
Facts = Mapping[str, Any]


class Headline(NamedTuple):
    """What a rule sees of a sample."""

    change: str
    facts: Facts
    level: str
    body: str
    cites: tuple[str, ...]
    text: str

    def cites_any(self, *starts: str) -> bool:
        """Whether one of the duties listed stands there; what is named as not reached, or as open, is none."""
        owed = self.level not in ("none", "unsettled") and "Not stated: " not in self.text
        return owed and any(key.startswith(start) for key in self.cites for start in starts)

    def few(self, name: str, least: int) -> bool:
        """A number that is stated and below another."""
        return name in self.facts and self.facts[name] < least


class Rule(NamedTuple):
    country: str
    says: str
    text: str
    """The statute's words that contradict it."""
    wrong: Callable[[Headline], bool]


def no_bodies(h: Headline) -> bool:
    return not any(h.facts.get(name) for name in ("works_council", "trade_union", "staff_delegates"))


def lithuanian_group(h: Headline) -> bool:
    """Art. 63(1): 10 of 20 to 99, 10% of 100 to 299, 30 of more."""
    staff, gone = h.facts.get("employees", 0), h.facts.get("affected", 0)
    return staff >= 20 and gone >= (10 if staff < 100 else staff / 10 if staff < 300 else 30)


RULES = (
    Rule("ES", "working time: co-determination", "art. 82.3: only to depart from an agreement; 41.4 consultation",
         lambda h: h.change == "working_time" and h.level == "co_determination" and not h.facts.get("uneven_hours")),
    Rule("PT", "collective redundancy: co-determination", "art. 361(1): informação e negociação",
         lambda h: h.change == "collective_redundancy" and h.level == "co_determination"),
    Rule("PT", "duties to the union delegate below 50 employees", "art. 466(3): não é aplicável a ... pequena empresa",
         lambda h: h.few("employees", 50) and h.cites_any("PT:codigo_trabalho:466:1")),
    Rule("PL", "AI system that monitors: co-determination", "art. 22(2): Monitoring pomieszczeń sanitarnych",
         lambda h: h.change == "ai_system" and h.level == "co_determination"),
    Rule("FR", "job-protection plan: co-determination owed to the authority", "art. L1233-30: le CSE est consulté",
         lambda h: h.change == "collective_redundancy" and h.level == "co_determination"),
    Rule("FR", "transfer without a committee: information", "art. L1224-1: tous les contrats ... subsistent",
         lambda h: h.change == "transfer_of_undertaking" and h.facts.get("works_council") is False
         and h.level == "information" and h.body == "employees"),
    Rule("EE", "monitoring, or few dismissals: information owed to employees", "TLS § 28, § 88: no word of informing",
         lambda h: h.change in ("ai_system", "collective_redundancy") and h.level == "information"
         and h.body == "employees" and h.cites_any("EE:tooleping:28", "EE:tooleping:88")),
    Rule("LU", "monitoring: consultation owed to the data protection commission", "art. L.261-1(4): peuvent soumettre",
         lambda h: h.level == "consultation" and h.body == "data_protection_authority"),
    Rule("LU", "working time without a delegation: owed to the delegation", "L.211-7: ou, à défaut, des salariés",
         lambda h: h.facts.get("works_council") is False and h.body == "works_council"),
    Rule("SK", "no representatives: owed to representatives", "§ 12, § 73(11): priamo s dotknutými zamestnancami",
         lambda h: no_bodies(h) and h.body == "representatives"),
    Rule("HR", "collective redundancy: co-determination", "čl. 150(3)10: savjetovanje",
         lambda h: h.change == "collective_redundancy" and h.level == "co_determination"
         and not h.facts.get("protected_employees")),
    Rule("DE", "operations, no works council: owed to the executives' committee", "SprAuG § 32(2), § 1: zehn leitende",
         lambda h: h.change in SITES and h.body == "executives_committee"
         and (h.few("employees", 21) or not h.facts.get("executives_committee"))),
    Rule("GB", "ICE duties below 50 employees", "ICE reg. 3: 50 employees (not held)",
         lambda h: h.few("employees", 50) and h.cites_any("GB:ice_regs_2004")),
    Rule("HR", "nothing applies, and a union was never asked for", "čl. 153(3): union commissioner (not held)",
         lambda h: h.level == "none" and "trade_union" not in h.facts and "Not stated: " not in h.text
         and not h.text.startswith("## Finding")),
    Rule("BG", "duties of чл. 130в below 20 employees", "чл. 7а (not held): 50, a unit 20",
         lambda h: h.few("employees", 20) and h.cites_any("BG:kodeks_na_truda:130в")),
    Rule("PL", "owed to a works council below 50 employees", "u.i.p. art. 1: co najmniej 50 pracowników",
         lambda h: h.few("employees", 50) and h.body == "works_council"),
    Rule("LT", "group dismissal below art. 63(1)", "art. 63(1) (not held): 10 of 20 to 99 ...",
         lambda h: h.change == "collective_redundancy" and h.level == "consultation" and not lithuanian_group(h)
         and h.cites_any("LT:darbo_kodeksas:63")),
    Rule("RO", "duties of Legea 467/2006 below 20 employees", "art. 4: cel puţin 20 de angajaţi",
         lambda h: h.few("employees", 20) and h.cites_any("RO:legea_467_2006")),
)  # fmt: skip
ANY = Rule("any", "owed to a body that the facts deny", "", lambda h: h.facts.get(h.body) is False)


def composed(draws: int) -> pl.DataFrame:
    """Compose every country's samples on its own law, with what each rests on."""
    from forge_assets.law.country import country_files, read_country
    from forge_assets.law.loading import load_domain
    from forge_assets.scenarios.composition.judged_cells import Volume
    from forge_assets.scenarios.composition.single_country import LawLineage, compose_country
    from forge_assets.scenarios.pack.files import load_pack

    domain = load_domain(PACK)
    pack = load_pack(PACK, domain)
    countries = [read_country(PACK, domain, path) for path in country_files(PACK).values()]
    law, volume = LawLineage.of(countries), Volume(draws, max(1, draws // 4))
    parts = []
    for country in countries:
        scenarios, samples = compose_country(domain, pack, country.framework, law, volume)
        facts = scenarios.select("scenario_id", "facts", "change_type")
        parts.append(samples.filter(pl.col("split") != "withheld").join(facts, on="scenario_id"))
    return pl.concat(parts)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=48, help="fact sets for each company and change")
    rows = composed(parser.parse_args().draws)
    asked, wrong, cases = Counter[str](), Counter[tuple[str, str]](), Counter[str]()
    for row in rows.iter_rows(named=True):
        (country,) = row["jurisdictions"]
        seen = Headline(
            row["change_type"],
            json.loads(row["facts"])[country],
            row["expected_level"],
            row["expected_body"],
            tuple(row["expected_citations"]),
            row["response"],
        )
        asked[country] += 1
        hit = [rule for rule in (*RULES, ANY) if rule.country in (country, "any") and rule.wrong(seen)]
        wrong.update((country, rule.says) for rule in hit)
        cases[country] += bool(hit)
    print("| country | samples | wrong | says | against |\n|---|---|---|---|---|")
    for country in sorted(asked):
        print(f"| {country} | {asked[country]} | {cases[country]} | | |")
        for rule in (*RULES, ANY):
            if rule.country in (country, "any") and (rule.country != "any" or wrong[country, rule.says]):
                print(f"| | | {wrong[country, rule.says]} | {rule.says} | {rule.text} |")
    total, bad = sum(asked.values()), sum(cases.values())
    print(f"| all | {total} | {bad} ({bad / total:.1%}) | | |")


if __name__ == "__main__":
    main()
