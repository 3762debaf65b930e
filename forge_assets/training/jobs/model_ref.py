"""How jobs that answer or evaluate name the model that they do it with."""

from __future__ import annotations

from typing import Any

from forge_assets.training.jobs.spec import ModelFields, SftJob


class ModelRef(ModelFields):
    """A model by itself; `spec` gives its fields to a job."""

    @classmethod
    def of_training(cls, tuning: SftJob, identity: str) -> ModelRef:
        """Name what came of a training: an adapter on its base, or new weights.

        Args:
            tuning: the training; of a reinforced model, the one that it goes on from.
            identity: of the training, or of the reinforcement.
        """
        base, adapter = (tuning.base, identity) if tuning.lora else (identity, None)
        held: dict[str, Any] = {
            "precision": tuning.precision,
            "compute": tuning.compute,
            "quantisation": tuning.quantisation,
        }
        return cls(base=base, adapter=adapter, **held)

    def untrained(self, base: str) -> ModelRef:
        """The base model that this one came of, loaded in the same way."""
        return self.model_copy(update={"base": base, "adapter": None})

    @property
    def spec(self) -> dict[str, Any]:
        """Fields of `GenerateJob` and `EvaluateJob`."""
        return self.model_dump()
