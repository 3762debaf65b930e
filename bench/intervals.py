"""How often 95% intervals of a rate hold it, and how wide they are: ours beside bootstrap, Clopper-Pearson and Wilson.

Run: python bench/intervals.py [--draws N]. A scenario has one to three samples, all of them faulty or none: the most
that samples of one scenario can resemble each other.
"""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl
from scipy.stats import binomtest

from forge_assets.scoring import bootstrap
from forge_assets.scoring.bootstrap import TAILS, mean_interval, resampled_means
from forge_resources.presentation.markdown import markdown

RATES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.2, 0.5)
SIZES = (20, 44, 66, 132, 249)


def main(draws: int) -> None:
    """Print a row a size and rate."""
    bootstrap.RESAMPLES = 2000  # enough for coverage, and a fifth of the time
    random, rows = np.random.default_rng(7), []
    for size in SIZES:
        for rate in RATES:
            held = dict.fromkeys(("ours", "bootstrap", "Clopper-Pearson", "Wilson"), 0)
            width = dict.fromkeys(held, 0.0)
            for _ in range(draws):
                cluster = np.repeat(np.arange(size), random.integers(1, 4, size))[:size]
                count = int(cluster.max()) + 1
                values = (random.random(count) < rate).astype(float)[cluster][:, None]
                low, high = mean_interval(values, cluster)
                percentile = np.percentile(resampled_means(values, cluster)[:, 0], TAILS)
                test = binomtest(round(float(values.sum())), size)
                exact, wilson = test.proportion_ci(method="exact"), test.proportion_ci(method="wilson")
                ends = {"ours": (low[0], high[0]), "bootstrap": percentile, "Clopper-Pearson": exact, "Wilson": wilson}
                for name, (lower, upper) in ends.items():
                    held[name] += lower - 1e-12 <= rate <= upper + 1e-12
                    width[name] += upper - lower
            shown = {name: f"{held[name] / draws:.1%}, {width[name] / draws:.3f}" for name in held}
            rows.append({"samples": size, "rate": f"{rate:.1%}", **shown})
    print(markdown(pl.DataFrame(rows)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    main(parser.parse_args().draws)
