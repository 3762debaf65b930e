"""Training over several processes: DDP or FSDP2 by Accelerate, agreement between ranks, weights saved once and whole.

Ranks take different rows of the same global batch, so a job over two processes is the same training as one process
with twice the batch size (bench/fsdp.py), except that the last incomplete batch of an epoch is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import DistributedType, PartialState
from torch import distributed
from torch.distributed.tensor import DTensor
from transformers.trainer import TRAINING_ARGS_NAME

from forge_assets.training.jobs.spec import Precision, TrainingJob
from forge_resources.processes.ranks import rank, world_size

Found = TypeVar("Found")


def distributed_arguments(job: TrainingJob) -> dict[str, Any]:
    """What `TrainingArguments` need to know about a job's processes.

    Raises:
        ValueError: the job is not run by as many processes as it asks for, or there are too few GPUs.
    """
    if job.processes != world_size():
        raise ValueError(
            f"the job is for {job.processes} processes and runs in {world_size()}: start it by "
            "python -m forge_resources.processes.supervisor"
        )
    if torch.cuda.is_available() and torch.cuda.device_count() < job.processes:
        raise ValueError(f"{job.processes} processes need as many GPUs, and there are {torch.cuda.device_count()}")
    if job.processes == 1:
        return {}
    shared = {"dataloader_drop_last": True}  # or ranks would take rows twice to come out even
    if job.sharding == "none":
        return shared | {"ddp_find_unused_parameters": False}
    return shared | {
        "fsdp": True,
        "fsdp_config": {
            "version": 2,
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "state_dict_type": "SHARDED_STATE_DICT",  # checkpoints: each rank writes its part
            "cpu_ram_efficient_loading": True,  # rank 0 reads the weights, the others get their part from it
        },
    }


def ready(job: TrainingJob, arguments: Any) -> Any:
    """Settle how the model will lie before it is loaded; returns the arguments.

    Accelerate 1.15 lets FSDP be chosen on accelerators only, though FSDP2 itself works over gloo. On a CPU it is told
    that it has GPUs for as long as it chooses; it then stores FSDP, and takes the device from the process group.
    """
    if job.sharding == "full":
        os.environ["ACCELERATE_USE_FSDP"] = "true"  # read by `from_pretrained`
        if PartialState().distributed_type is DistributedType.MULTI_CPU:
            PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    return arguments


def check_enough(job: TrainingJob, rows: int) -> None:
    """Refuse a dataset of which every batch would be left out.

    Raises:
        ValueError: `rows`, packed ones where they are packed, do not fill one batch of all processes.
    """
    if rows < (needed := job.batch_size * job.processes) and job.processes > 1:
        raise ValueError(
            f"{rows} rows are fewer than a batch over {job.processes} processes takes ({needed}): use a smaller "
            "batch_size, or fewer processes"
        )


def agreed(reason: str) -> str:
    """This rank's reason to stop, or that another rank has one: all stop after the same step."""
    if world_size() == 1:
        return reason
    flag = torch.tensor(bool(reason), dtype=torch.int32, device=PartialState().device)
    distributed.all_reduce(flag, distributed.ReduceOp.MAX)
    return reason or ("another process of this job was asked to stop" if flag.item() else "")


def from_first(find: Callable[[], Found]) -> Found:
    """What rank 0 finds, on all ranks."""
    if world_size() == 1:
        return find()
    found: list[Any] = [find() if rank() == 0 else None]
    distributed.broadcast_object_list(found, src=0, device=PartialState().device)
    result: Found = found[0]
    return result


def together() -> None:
    """Wait until every rank is here."""
    if world_size() > 1:
        PartialState().wait_for_everyone()


def save_whole(trainer: Any, folder: Path, precision: Precision) -> None:
    """Write the trained weights once, by rank 0; every rank has to call it, for each gives its part."""
    if trainer.is_fsdp_enabled:
        weights = trainer.accelerator.get_state_dict(trainer.model)
        for name in getattr(trainer.model, "all_tied_weights_keys", {}):
            weights.pop(name, None)  # gathered, a tied weight is no longer seen to be the other one
        # FSDP trains bfloat16 weights as float32; the result is what it would be without.
        plain = {name: part.to(getattr(torch, precision)) for name, part in weights.items()}
        trainer._save(str(folder), state_dict=plain)
    else:
        trainer.save_model(str(folder))
    if rank() == 0:
        (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)  # a pickle, of what the spec says


def parameters_held(model: torch.nn.Module) -> int:
    """How many parameters this process holds."""
    return sum((part.to_local() if isinstance(part, DTensor) else part).numel() for part in model.parameters())


def load_checkpoint(trainer: Any, checkpoint: Path) -> None:
    """Put the checkpoint's weights into a trainer that is not going to train."""
    if trainer.is_fsdp_enabled:  # weights can be loaded into the shards only
        trainer._prepare_for_training(trainer.args.max_steps, trainer.get_train_dataloader(), str(checkpoint))
    else:
        trainer._load_from_checkpoint(str(checkpoint))


def end_together() -> None:
    """Leave the other ranks, which have ended: from here on this process is alone."""
    distributed.destroy_process_group()
    del os.environ["ACCELERATE_USE_FSDP"]
