"""How jobs that answer or evaluate name the model that they do it with."""

from __future__ import annotations

from typing import Any

from forge_assets.training.jobs.spec import SftJob
from forge_resources.config.profile import Loading


def base_model(base: str, loading: Loading) -> dict[str, Any]:
    """A base model, by its digest."""
    return {"base": base, "precision": loading.precision, "quantisation": loading.quantisation}


def trained_model(tuning: SftJob, identity: str) -> dict[str, Any]:
    """What came of a training: an adapter on its base, or new weights.

    Args:
        tuning: the training; of a reinforced model, the one that it goes on from.
        identity: of the training, or of the reinforcement.
    """
    how = {"precision": tuning.precision, "quantisation": tuning.quantisation}
    return {"base": tuning.base, "adapter": identity, **how} if tuning.lora else {"base": identity, **how}
