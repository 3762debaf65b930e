"""Draw random choices by counter and key, the same on any machine: SplitMix64 over SHA-256 seeds, integers only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forge_assets.scenarios.facts.text_digest import SEPARATOR, text_digest

Keys = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def seed(*words: object) -> np.uint64:
    """Compute the first 64 bits of the SHA-256 of the words."""
    return np.uint64(int(text_digest(SEPARATOR.join(map(str, words)), 16), 16))


def mix(state: Keys) -> Keys:
    """Apply the finaliser of SplitMix64 (Steele, Lea and Flood, 2014): a bijection of 64-bit words."""
    with np.errstate(over="ignore"):
        z = state + _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def keys(counters: Keys, *words: object) -> Keys:
    """Compute one key a counter, in the stream that the words name."""
    with np.errstate(over="ignore"):
        return mix(counters * _GOLDEN + seed(*words))


def derive(given: Keys, *words: object) -> Keys:
    """Derive independent keys for a further choice."""
    return mix(given ^ seed(*words))


def choose_index(given: Keys, n: int, *words: object) -> NDArray[np.int64]:
    """Draw an index below `n` for each key. The bias of the remainder is below n / 2^64."""
    return (derive(given, *words) % np.uint64(n)).astype(np.int64)


def combine(given: Keys, values: NDArray[np.int64] | NDArray[np.bool_]) -> Keys:
    """Fold a value into each key."""
    return mix(given ^ mix(values.astype(np.uint64)))
