"""Look up the source of every piece of every answer: a field of the law held, a phrase of its language, or a fact.

    python bench/answer_sources.py --samples 1000000

Composes as many samples as asked for, every country and across countries, and checks each different answer that stands
behind them (rows of one cell share an answer, whose slots hold their own names and numbers). Prints a line of JSON for
each country and one for all: samples, answers, pieces, those that no source bears out, and of answers that are taught
those that rest on a provision which is not verified. Of the last two there must be none.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from bench.scenarios import PER_DRAW
from forge_assets.law.country import country_files, read_country
from forge_assets.law.loading import load_domain
from forge_assets.scenarios.answers.sources import SourceCheck
from forge_assets.scenarios.answers.writer import pieces
from forge_assets.scenarios.composition.cross_border import prompts_across
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_prompts
from forge_assets.scenarios.pack.files import load_pack
from forge_assets.scenarios.prompts.tables import Prompts

PACK = Path(__file__).parents[1] / "frameworks" / "labour"


def main() -> None:
    """Check the answers behind the samples of every country and across countries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000_000)
    wanted = parser.parse_args().samples
    domain = load_domain(PACK)
    pack = load_pack(PACK, domain)
    countries = [read_country(PACK, domain, path) for path in country_files(PACK).values()]
    law = LawLineage.of(countries)
    check = SourceCheck([c.framework for c in countries], domain.citation, pack.exhibits)
    statuses = {name: status for country in countries for name, status in country.statuses.items()}
    volume = Volume(max(8, wanted // PER_DRAW), max(2, wanted // PER_DRAW // 4))
    total: Counter[str] = Counter()

    def count(name: str, parts: list[Prompts]) -> None:
        found: Counter[str] = Counter(samples=sum(part.rows.height for part in parts))
        examples = []
        for answer in (answer for part in parts for answer in part.answers):
            unsourced = check.unsourced(answer.marked, pack.answers[answer.language])
            found["answers"] += 1
            found["unsourced"] += len(unsourced)
            examples += unsourced[:1]
            for source, _ in pieces(answer.marked):
                found["pieces"] += 1
                entry = source.removeprefix("law:").rpartition(".")[0] if source.startswith("law:") else ""
                found["law"] += bool(entry)
                found["unverified"] += answer.current and statuses.get(entry, "verified") != "verified"
        total.update(found)
        print(json.dumps({"of": name, **found, "examples": [str(each) for each in examples[:3]]}), flush=True)

    for country in countries:
        parts = compose_prompts(domain, pack, country.framework, law, volume, marked=True)
        count(country.framework.jurisdiction, parts)
    count("across", prompts_across(domain, pack, [c.framework for c in countries], law, volume, marked=True))
    print(json.dumps({"of": "all", **total}))


if __name__ == "__main__":
    main()
