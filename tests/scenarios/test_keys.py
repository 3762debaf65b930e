"""What splits and ids hang on stays as it is: other bytes here would draw every sample anew."""

from __future__ import annotations

import numpy as np

from forge_assets.scenarios.facts.counter_rng import keys, seed
from forge_assets.scenarios.facts.text_digest import text_digest


def test_seeds_and_digests_have_the_bytes_that_samples_were_drawn_with() -> None:
    assert seed("split", "hospital", "ai_system") == np.uint64(0x5DE34FEB00E60378)
    assert keys(np.arange(2, dtype=np.uint64), "hospital", "ai_system").tolist() == [
        17253366115040936817,
        10485617004599125628,
    ]
    assert text_digest("DE\x1fai_system", 24) == "7ff7225af43f65348b0120d1"
