"""How much memory a job needs at its peak, from the model's config alone.

A job passes through moments that do not coincide: loading, the loss (all activations and the logits), the way back
(gradients come, activations go), generation. For each, `predict` adds up what is held; the peak is the largest.

  weights      parameters x bytes; NF4 0.516 with its constants (Dettmers et al. 2023, arXiv 2305.14314, section 3),
               int8 1; embeddings, norms and output layer of a quantised model in fp32, as PEFT prepares it
  file         pages of the checkpoint that stay mapped
  adapter      LoRA matrices in fp32
  optimizer    AdamW's two moments, in the type of what is trained
  gradients    of what is trained; during the loss only where they accumulate
  activations  see `activations`
  logits       completion tokens x vocabulary x 12: log-probabilities, and two gradients on the way back; once more
               where an adapter of the output layer makes a product of its own
  buffers      weights made from their 4 or 8 bits for one product, or gathered from other processes
  cache        keys and values of generated answers
  holes        freed memory that the allocator cannot use again, see `machines`
Sharded over N processes (FSDP; Rajbhandari et al. 2020, arXiv 1910.02054, stage 3), weights, gradients and optimizer
are divided by N; what is trained is then held in fp32 and gathered a layer at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from forge_assets.training.jobs.spec import EvaluateJob, GenerateJob, GrpoJob, Lora, Quantisation, SftJob, TrainingJob
from forge_assets.training.planning.activations import Step, checkpoint_bytes, head_bytes, layer_bytes, passing_bytes
from forge_assets.training.planning.memory_overhead import Machine
from forge_assets.training.planning.model_shape import HEAD, Shape

NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
SHARD_BYTES = 5_000_000_000
"""Largest file of a checkpoint as hubs hold them."""

PROMPT = 512
"""Tokens of a prompt where nothing says; those of the labour pack have some hundred."""

Planned = SftJob | GrpoJob | GenerateJob | EvaluateJob


@dataclass(frozen=True)
class Prediction:
    """Bytes at the peak, of one process.

    Attributes:
        moments: for each moment what is held, by part.
        margin: of the machine.
    """

    moments: Mapping[str, Mapping[str, int]]
    margin: float = field(default=0.0)

    @property
    def moment(self) -> str:
        """When the peak comes."""
        return max(self.moments, key=lambda name: sum(self.moments[name].values()))

    @property
    def parts(self) -> Mapping[str, int]:
        """What is held at the peak."""
        return self.moments[self.moment]

    @property
    def peak(self) -> int:
        """Bytes."""
        return sum(self.parts.values())

    @property
    def safe(self) -> int:
        """Peak and margin: what must be free."""
        return round(self.peak * (1 + self.margin))


def predict(
    job: Planned,
    shape: Shape,
    machine: Machine,
    *,
    completion: float = 1.0,
    prompt: int = PROMPT,
    adapter: Lora | None = None,
) -> Prediction:
    """Peak memory of a job, of each process where there are several.

    Args:
        completion: share of a row's tokens that are learned. The default is the worst case, logits at every position.
        prompt: tokens of a prompt, for generation and GRPO.
        adapter: what a GRPO job goes on with, which its spec names by digest only; without it rank 32.
    """
    quantised = job.quantisation
    width = 2 if job.precision == "bfloat16" else 4
    if isinstance(job, GenerateJob | EvaluateJob):
        held = {
            "runtime": machine.runtime,
            "weights": _weights(shape, quantised, width, prepared=False),
            "file": _mapped(shape, quantised, width, machine),
        }
        moments = {"loading": _loading(held, shape, width, machine)}
        if isinstance(job, GenerateJob):
            rows, new = job.sampling.batch_size, job.sampling.max_new_tokens
            moments["generation"] = held | _generation(shape, rows, prompt, new, width, quantised, machine)
        else:
            tokens = job.batch_size * job.max_length
            moments["loss"] = held | _passing(
                {
                    "activations": tokens * width * (3 * shape.intermediate + 4 * shape.hidden),
                    "logits": int(tokens * completion) * shape.vocabulary * 8,
                    "buffers": _dequantised(shape, quantised, width),
                },
                machine,
            )
        return Prediction(moments, machine.margin)
    lora = adapter_of(job, adapter)
    return Prediction(
        _training(job, lora, shape, machine, completion, min(prompt, _longest(job)), width), machine.margin
    )


def trained(lora: Lora | None, shape: Shape) -> int:
    """Weights that a training changes."""
    return shape.parameters if lora is None else shape.adapter(lora.rank, lora.experts, lora.target_modules)


def adapter_of(job: TrainingJob, given: Lora | None) -> Lora | None:
    """The adapter that is trained; None where every weight is."""
    if isinstance(job, SftJob):
        return job.lora
    return (given or Lora(rank=32, alpha=32)) if job.adapter else None


def _training(
    job: TrainingJob,
    lora: Lora | None,
    shape: Shape,
    machine: Machine,
    completion: float,
    prompt: int,
    width: int,
) -> dict[str, dict[str, int]]:
    shards = job.processes if job.sharding == "full" else 1
    count = trained(lora, shape)
    # Adapters are in fp32, and so is what FSDP trains; without it all weights are trained in the job's own type.
    each = 4 if lora or shards > 1 else width
    weights = _weights(shape, job.quantisation, width, prepared=True) if lora else count * each
    held = {
        "runtime": machine.runtime,
        "weights": weights // shards,
        "file": _mapped(shape, job.quantisation, width, machine),
        "adapter": count * each // shards if lora else 0,
        "optimizer": 2 * count * each // shards,
    }
    gradients = count * each // shards
    row = prompt + job.max_new_tokens if isinstance(job, GrpoJob) else job.max_length
    tokens = job.batch_size * row
    learned = job.batch_size * job.max_new_tokens if isinstance(job, GrpoJob) else int(tokens * completion)
    step = Step(tokens, row, width, lora, machine.mask_bytes)
    layer, inputs = layer_bytes(shape, step), checkpoint_bytes(shape, step)
    kept = shape.layers * (inputs if job.gradient_checkpointing else layer)
    final = tokens * shape.hidden * 4 + head_bytes(shape, step, learned)
    buffers = _dequantised(shape, job.quantisation, width) + _gathered(shape, shards, width)
    if isinstance(job, GrpoJob) and job.beta and lora is None:
        held["reference"] = shape.parameters * width // shards
    elif isinstance(job, GrpoJob) and job.beta:
        held["reference"] = count * 4 // shards
    product = learned * shape.vocabulary * width if lora and HEAD in shape.targets(lora.target_modules) else 0
    # Scaled, and added to the layer's own, that of an adapter makes two more of its size.
    lost = _lost(shape, step, job.quantisation, machine) + round(machine.holes * 2 * product)
    logits = learned * shape.vocabulary * (16 if isinstance(job, GrpoJob) else 12) + product
    accumulated = gradients if job.accumulation > 1 else 0
    loss = {"activations": kept + final, "logits": logits, "buffers": buffers}
    again = layer if job.gradient_checkpointing else 0
    back = {"activations": kept + final + again + passing_bytes(shape, step), "buffers": buffers}
    # A tied weight's two gradients wait for each other, and their sum is a third.
    waiting = 0 if lora else shape.embedding * each * (2 if shape.tied else 1) // shards
    # Sharded, one process reads on the host and the others get their part.
    loading = {
        "runtime": machine.runtime,
        "weights": _weights(shape, job.quantisation, width, prepared=False) // shards,
        "file": held["file"],
    }
    first = {name: held[name] for name in held if name != "optimizer"}
    # What the first step left behind is room for the second's, unless gradients stay in it.
    later = lost if lora or accumulated else 0
    moments = {
        "loading": _loading(loading, shape, width, machine),
        "first loss": first | {"gradients": accumulated} | _passing(loss, machine, lost),
        "first way back": first | {"gradients": accumulated} | _passing(back, machine, lost),
        "loss": held | {"gradients": accumulated} | _passing(loss, machine, later),
        "way back": held | {"gradients": accumulated} | _passing(back, machine, later),
        "update": held
        | {
            "gradients": gradients + waiting,
            "activations": layer,
            "buffers": buffers,
            # With checkpoints all was dropped by then, and what was free lies together.
            "holes": (0 if job.gradient_checkpointing else lost // 2)
            + round(machine.settled * (held["optimizer"] + gradients + waiting)),
        },
    }
    if isinstance(job, SftJob) and job.probe:
        how, asked = job.probe.sampling, min(prompt, job.max_length // 2)  # a row is a prompt and its answer
        moments["answers"] = held | _generation(
            shape, how.batch_size, asked, how.max_new_tokens, width, job.quantisation, machine
        )
    if isinstance(job, GrpoJob):
        rows = job.batch_size * job.accumulation
        drawn = _generation(shape, rows, prompt, job.max_new_tokens, width, job.quantisation, machine)
        drawn["buffers"] += _gathered(shape, shards, width)
        moments["generation"] = held | drawn
    return moments


def _longest(job: TrainingJob) -> int:
    return job.max_prompt if isinstance(job, GrpoJob) else job.max_length


def _weights(shape: Shape, quantisation: Quantisation, width: int, *, prepared: bool) -> int:
    """Bytes of frozen weights; `prepared` for training, PEFT holds what is not quantised in fp32."""
    if quantisation == "none":
        return shape.parameters * width
    matrices = shape.linear * (NF4_BYTES if quantisation == "nf4" else 1.0)
    return round(matrices + (shape.parameters - shape.linear) * (4 if prepared else width))


def _mapped(shape: Shape, quantisation: Quantisation, width: int, machine: Machine) -> int:
    """Of a file that stays mapped for embeddings and norms, the pages that only quantising needed."""
    if quantisation == "none" or not machine.mapped or width != shape.stored_bytes:
        return 0
    return round(shape.linear * shape.stored_bytes)


def _dequantised(shape: Shape, quantisation: Quantisation, width: int) -> int:
    """One matrix in full, and its copy in the type that is computed in."""
    return 0 if quantisation == "none" else 2 * shape.largest_matrix * width


def _gathered(shape: Shape, shards: int, width: int) -> int:
    """The layer in use and the next, embedding and output layer, in 16 bits; the gradients of one layer."""
    if shards == 1:
        return 0
    return (2 * shape.layer + shape.embedding + shape.output) * width + shape.layer * width


def _loading(held: dict[str, int], shape: Shape, width: int, machine: Machine) -> dict[str, int]:
    """Weights as they will be held, and besides what is read and not yet turned into them."""
    changed = shape.parameters if machine.unified and not (machine.mapped and width == shape.stored_bytes) else 0
    read = min(round(changed * shape.stored_bytes), SHARD_BYTES)
    return held | {"buffers": read + 2 * shape.largest_matrix * width}


def _generation(
    shape: Shape, rows: int, prompt: int, new: int, width: int, quantisation: Quantisation, machine: Machine
) -> dict[str, int]:
    """Keys and values of all tokens in every layer but sliding ones; a copy where a layer's cache grows."""
    full = shape.layers - shape.sliding_layers
    tokens = prompt + new
    seen = full * tokens + shape.sliding_layers * min(tokens, shape.window or tokens)
    cache = 2 * rows * seen * shape.key * width
    square = shape.heads * rows * prompt * prompt * 3 * width if shape.sinks else 0
    # A cache grows by a token at a time, and what it leaves is always a token too small.
    held = {"cache": cache + (cache if machine.holes else 0)}
    return held | _passing(
        {
            "activations": rows * prompt * width * (3 * shape.intermediate + 4 * shape.hidden) + square,
            "logits": rows * shape.vocabulary * 16,
            "buffers": _dequantised(shape, quantisation, width) + 2 * cache // shape.layers,
        },
        machine,
    )


def _lost(shape: Shape, step: Step, quantisation: Quantisation, machine: Machine) -> int:
    """What a pass through all layers drops and the allocator does not find again: about as much as they keep."""
    if shape.experts and step.lora:
        return 0  # one expert at a time: the pieces are small, and find room
    lora = step.lora.model_copy(update={"dropout": 0.0}) if step.lora else None
    lost = shape.layers * layer_bytes(shape, replace(step, lora=lora))
    if quantisation != "none" and shape.hidden > step.tokens:
        # Matrices made in full are larger than activations then, and some find no room where those were.
        lost += shape.linear * step.width // 4
    return round(max(machine.holes - machine.smaller * (step.tokens // step.row - 1), 0.0) * lost)


def _passing(parts: dict[str, int], machine: Machine, lost: int = 0) -> dict[str, int]:
    """What comes and goes, and what the allocator holds besides."""
    return parts | {"holes": lost + round(sum(parts.values()) * machine.passing)}
