"""What the whole pack composes: how much of what, what leaks, what is taught, and what an edit moves.

    python bench/dataset.py

Composes every country with every provision at default volume (half a minute), then prints Markdown: samples by split,
task, variant and jurisdiction; leakage of the sets of two profiles; provisions cited in training; rows that an edit of
one provision's threshold, summary or triggers changes. `--save FILE` writes the samples as Parquet, for
`bench/diversity.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from forge_assets.datasets.frozen_core import compose_pack, load_core
from forge_assets.datasets.leakage import leakage
from forge_assets.datasets.roles import HELD_OUT, draw_sets
from forge_assets.law.country import Country, checked_country, country_files, read_country
from forge_assets.law.loading import load_domain
from forge_assets.law.model import Bound, Domain
from forge_assets.scenarios.composition.cross_border import compose_cross_border
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_country
from forge_assets.scenarios.pack.files import Pack, load_pack
from forge_resources.config.profile import load_profile
from forge_resources.presentation.markdown import markdown

PACK = Path(__file__).parents[1] / "frameworks" / "labour"
EDITED = "DE:betrvg:87:1:6"
EDITS: dict[str, dict[str, object]] = {
    "summary": {"summary": "agreement on another subject"},
    "threshold": {"applies_when": ({"employees": Bound(min=700)},)},
    "triggers": {"triggers": ("business_transfer",)},
}


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", type=Path, help="write the samples here")
    given = parser.parse_args()
    samples = compose_pack(PACK)
    if given.save:
        samples.write_parquet(given.save)
    counted(samples)
    leaked(samples)
    domain = load_domain(PACK)
    countries = {code: read_country(PACK, domain, path) for code, path in country_files(PACK).items()}
    taught(samples, domain, countries)
    moved(domain, load_pack(PACK, domain), countries)


def counted(samples: pl.DataFrame) -> None:
    """How many samples there are of what."""
    print(f"{samples.height} samples, {samples['pair'].n_unique() - 1} contrast pairs, withheld ones included\n")
    print(markdown(samples.group_by("split").len().sort("split")))
    print(markdown(samples.group_by("language").len().sort("len", descending=True)))
    shown = samples.filter(pl.col("split") != "withheld")
    one = shown.filter(pl.col("jurisdictions").list.len() == 1).with_columns(
        pl.col("jurisdictions").list.first().alias("jurisdiction")
    )
    for rows, index, on in (
        (shown, "variant", "task_type"),
        (one, "jurisdiction", "variant"),
        (one, "jurisdiction", "task_type"),
    ):
        table = rows.pivot(on=on, index=index, values="sample_id", aggregate_function="len")
        print(markdown(table.fill_null(0).sort(index)))


def leaked(samples: pl.DataFrame) -> None:
    """Training prompts against every held-out role, as the check `no_leakage` compares them."""
    codes = samples["jurisdictions"].explode().unique().sort().to_list()
    for name in ("dgx-spark", "cpu"):
        sets = draw_sets(samples, load_profile(name), codes, load_core(PACK))
        held_out = sets.filter(pl.col("role").is_in(HELD_OUT)).unique("sample_id")
        found = leakage(sets.filter(pl.col("role") == "train"), held_out)
        print(name, dict(sets.group_by("role").len().sort("role").iter_rows()), found.taught, found.held_out)
        for measure in ("exact", "scenario", "ngram", "near"):
            print(f"  {measure}: {getattr(found, measure)}")


def taught(samples: pl.DataFrame, domain: Domain, countries: dict[str, Country]) -> None:
    """Verified provisions that a change pulls, and which of them no training sample cites."""
    cited = set(samples.filter(pl.col("split") == "train")["expected_citations"].explode().drop_nulls())
    kinds = domain.change_types.values()
    pulled = {t for kind in kinds for t in (*kind.triggers, *(c.trigger for c in kind.conditional_triggers))}
    wanted = [
        str(provision.cite)
        for country in countries.values()
        for provision in country.framework.provisions
        if not country.framework.members
        and country.statuses[provision.id] == "verified"
        and pulled & set(provision.triggers)
    ]
    missing = [cite for cite in wanted if cite not in cited]
    print(
        f"\n{len(wanted) - len(missing)} of {len(wanted)} provisions are cited in training; not: {', '.join(missing)}\n"
    )


def moved(domain: Domain, pack: Pack, countries: dict[str, Country]) -> None:
    """Rows of Germany and Austria, 48 draws, before and after an edit of one German provision."""
    germany, austria = countries["DE"], countries["AT"]

    def rows(country: Country) -> pl.DataFrame:
        law, volume = LawLineage.of([country, austria]), Volume(48, 4)
        frameworks = [country.framework, austria.framework]
        single = [compose_country(domain, pack, framework, law, volume)[1] for framework in frameworks]
        return pl.concat([*single, compose_cross_border(domain, pack, frameworks, law, volume)[1]])

    before = rows(germany)
    edited = next(p for p in germany.framework.provisions if str(p.cite) == EDITED)
    names = pl.col("provenance").list.contains(edited.id)
    table = []
    for name, edit in EDITS.items():
        provisions = tuple(p.model_copy(update=edit) if p is edited else p for p in germany.framework.provisions)
        changed = germany.framework.model_copy(update={"provisions": provisions})
        after = rows(checked_country(domain, changed, germany.statutes))
        gone = before.join(after, on=before.columns, how="anti")
        come = after.join(before, on=before.columns, how="anti")
        table.append(
            {
                f"edit of {EDITED}": name,
                "rows": before.height,
                "name it": before.filter(names).height,
                "the same, byte for byte": before.height - gone.height,
                "gone": gone.height,
                "of these name it": gone.filter(names).height,
                "come": come.height,
                "of those name it": come.filter(names).height,
            }
        )
    print(markdown(pl.DataFrame(table)))


if __name__ == "__main__":
    main()
