"""What of a job's peak memory is the machine's doing: what runs before a model is loaded, the allocator, mapped files.

The three numbers of the CPU's allocator, and its runtime, were chosen on the configurations of bench/memory.py marked
`fit`; those of a GPU are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Machine:
    """What of the peak is the machine's doing.

    Attributes:
        runtime: bytes held before a model is loaded.
        holes: share of what all layers keep (or would keep without checkpoints) that is lost between what they keep:
            glibc's heap does not find a freed aligned block again for one of the same size.
        smaller: by how much less with every further row of a batch, whose pieces are smaller.
        passing: share of everything that comes and goes within a step that the allocator holds besides.
        settled: the same, of gradients and optimizer.
        margin: how far under the truth a prediction may be; guards add it.
        mapped: whether weights of the checkpoint's own type stay mapped from the file, not copied.
        mask_bytes: bytes of a value of a dropout mask.
        unified: whether the file that is being read takes the same memory.
    """

    runtime: int
    holes: float
    smaller: float
    passing: float
    settled: float
    margin: float
    mapped: bool
    mask_bytes: int
    unified: bool


CPU = Machine(
    runtime=480_000_000,
    holes=1.15,
    smaller=0.06,
    passing=0.0,
    settled=0.08,
    margin=0.15,
    mapped=True,
    mask_bytes=4,
    unified=True,
)
CUDA = Machine(
    runtime=900_000_000,
    holes=0.0,
    smaller=0.0,
    passing=0.1,
    settled=0.0,
    margin=0.10,
    mapped=False,
    mask_bytes=1,
    unified=False,
)
UNIFIED = replace(CUDA, runtime=2_500_000_000, unified=True)
