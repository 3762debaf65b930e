"""TRL's SFTTrainer with less work for the same loss: no padding, and logits only where the completion is predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel
from trl import SFTTrainer

from forge_assets.training.models.packed_attention import attend_by_rows


class CompletionTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer for prompt/completion rows, none of them longer than what a step may take: it cuts nothing.

    TRL computes the vocabulary's logits, their entropy and accuracy for prompt tokens and padding too; with a small
    model and a large vocabulary that is much of a step (bench/sft_step.py).
    """

    train_dataset: Any

    def __init__(self, weights: Mapping[int, float] | None = None, **given: Any) -> None:
        """Prepare to train.

        Args:
            weights: token to what its loss counts; 1 where it is not there.
            given: what SFTTrainer takes.
        """
        with _frozen_output(given["model"]):
            super().__init__(**given)
        self._weights = {token: weight for token, weight in (weights or {}).items() if weight != 1.0}
        if isinstance(self.model, PeftModel):
            # With an adapted output layer PEFT would write the base's embeddings beside it, into every checkpoint.
            self.model.save_pretrained = partial(self.model.save_pretrained, save_embedding_layers=False)
        if getattr(self.model, "is_quantized", False):
            for weight in self.model.parameters():
                if weight.requires_grad:  # an adapter: in TRL's bfloat16 small steps would be lost to rounding
                    weight.data = weight.data.float()
        attend_by_rows(self.accelerator.unwrap_model(self.model))

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs["labels"]
        learned = (labels[:, 1:] != -100).any(dim=0).nonzero().squeeze(1)
        rows = ("input_ids", "position_ids", "cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")
        outputs = model(**{name: inputs[name] for name in rows}, logits_to_keep=learned, use_cache=False)
        targets = labels[:, learned + 1]
        logits = outputs.logits.flatten(0, 1).float()
        total = torch.nn.functional.cross_entropy(
            logits, targets.flatten(), weight=self._weight_of(logits), ignore_index=-100, reduction="sum"
        )
        count = (targets != -100).sum() if num_items_in_batch is None else num_items_in_batch
        loss = total / count
        if num_items_in_batch is not None:  # it counts the tokens of all processes, whose gradients are averaged
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def _weight_of(self, logits: torch.Tensor) -> torch.Tensor | None:
        """What every token's loss counts; None where all count alike."""
        if not self._weights:
            return None
        weight = logits.new_ones(logits.shape[-1])
        for token, factor in self._weights.items():
            weight[token] = factor
        return weight


@contextmanager
def _frozen_output(model: PreTrainedModel) -> Iterator[None]:
    """Show TRL the output layer as it is without an adapter.

    TRL refuses an adapter there because its own loss reads the layer's weights alone; `compute_loss` calls the layer.
    """
    head = model.get_output_embeddings()
    model.get_output_embeddings = lambda: head
    try:
        yield
    finally:
        del model.get_output_embeddings
