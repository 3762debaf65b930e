"""The search: `ThreePhaseSampler(SearchSpace(grid), n_trials)` is an Optuna sampler like any other.

Both are imported when asked for: definitions load without Optuna and SciPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forge_assets.search.optimizer.three_phase import ThreePhaseSampler
    from forge_assets.search.space.parameters import SearchSpace

__all__ = ["SearchSpace", "ThreePhaseSampler"]


def __getattr__(name: str) -> Any:
    if name == "ThreePhaseSampler":
        from forge_assets.search.optimizer.three_phase import ThreePhaseSampler

        return ThreePhaseSampler
    if name == "SearchSpace":
        from forge_assets.search.space.parameters import SearchSpace

        return SearchSpace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
