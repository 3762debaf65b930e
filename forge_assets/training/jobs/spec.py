"""What a worker process is asked to do, as immutable specs whose SHA-256 is their identity and their folder's name.

Weights, adapters and datasets are named by digest. Paths, host names and times are not part of a spec, so the same
question asked on another machine has the same identity.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from forge_resources.storage.strict import Strict

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

CODE_VERSION = 6
"""Raised when a worker would give another result for the same spec; finished jobs of older versions are then redone."""


class Lora(Strict):
    """Low-rank adapter (Hu et al. 2021): `alpha / rank` scales the update."""

    rank: Annotated[int, Field(ge=1)]
    alpha: Annotated[int, Field(ge=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    target_modules: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    experts: bool = True
    """Also on the expert weights of a mixture-of-experts model; nothing where the model has none."""


class Sampling(Strict):
    """How answers are drawn. Temperature 0 is greedy."""

    max_new_tokens: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    temperature: Annotated[float, Field(ge=0)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 0


class Probe(Strict):
    """Prompts answered by the model just trained, in the same process."""

    prompts: Digest
    sampling: Sampling


Precision = Literal["float32", "bfloat16"]
Quantisation = Literal["none", "int8", "nf4"]
Sharding = Literal["none", "full"]
Batching = Literal["rows", "packed"]
"""What `batch_size` counts: rows, or sequences of `max_length` tokens filled with whole rows."""


class Training(Strict):
    """What every kind of training needs to know."""

    base: Digest
    learning_rate: Annotated[float, Field(gt=0)]
    batch_size: Annotated[int, Field(ge=1)]
    """Rows a process takes at once; for GRPO completions."""
    accumulation: Annotated[int, Field(ge=1)] = 1
    steps: Annotated[int, Field(ge=1)]
    warmup_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    scheduler: Literal["constant", "linear", "cosine"] = "cosine"
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    precision: Precision = "float32"
    compute: Precision = "float32"
    """In which products are computed where weights are float32; sums and updates stay in float32."""
    quantisation: Quantisation = "none"
    gradient_checkpointing: bool = False
    processes: Annotated[int, Field(ge=1)] = 1
    """Processes that train together, one a device; each takes `batch_size` rows."""
    sharding: Sharding = "none"
    """How weights, gradients and optimizer lie on them: a copy each, or sharded (FSDP)."""
    checkpoint_every: Annotated[int, Field(ge=1)] = 20
    seed: int = 0

    @model_validator(mode="after")
    def _spread(self) -> Self:
        if self.sharding == "full" and (self.processes == 1 or self.quantisation != "none"):
            raise ValueError('sharding "full" needs `processes` of 2 or more, and weights that are not quantised')
        return self


class SftJob(Training):
    """Supervised fine-tuning on prompt/completion rows, loss on the completion; without `lora` every weight."""

    kind: Literal["sft"] = "sft"
    dataset: Digest
    lora: Lora | None
    max_length: Annotated[int, Field(ge=16)] = 512
    batching: Batching = "rows"
    citation_weight: Annotated[float, Field(gt=0)] = 1.0
    """What the loss of a citation token counts; that of every other token counts 1."""
    citation_rate: Annotated[float, Field(gt=0)] = 1.0
    """How many times faster the rows of citation tokens learn than all else."""
    probe: Probe | None = None

    @model_validator(mode="after")
    def _trainable(self) -> SftJob:
        if self.lora is None and self.quantisation != "none":
            raise ValueError(f"{self.quantisation} weights cannot be trained: give `lora`, or no quantisation")
        return self


class GrpoJob(Training):
    """Group relative policy optimisation (Shao et al. 2024, arXiv 2402.03300) with the scoring room as the reward.

    Trains the LoRA adapter of an SFT job on, or every weight where there is none.
    """

    kind: Literal["grpo"] = "grpo"
    adapter: Digest | None
    questions: Digest
    """Rows of `sample_id`, `prompt` as chat messages, and what `scoring.reward` reads of a sample."""
    laws: Digest
    """The law that citations are judged by, see `citations.serialization.law_rows`."""
    group: Annotated[int, Field(ge=2)]
    """Completions of one prompt that are compared with one another."""
    max_prompt: Annotated[int, Field(ge=16)] = 512
    """Tokens; longer questions are left out."""
    max_new_tokens: Annotated[int, Field(ge=1)]
    temperature: Annotated[float, Field(gt=0)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    beta: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the KL penalty towards the model that training starts from."""

    @model_validator(mode="after")
    def _whole_groups(self) -> GrpoJob:
        if (self.batch_size * self.accumulation * self.processes) % self.group:
            raise ValueError("batch_size x accumulation x processes must be a multiple of group")
        return self


class ModelFields(Strict):
    """Which model a job loads: weights, an adapter on them or none, and how they are held."""

    base: Digest
    adapter: Digest | None = None
    precision: Precision = "float32"
    compute: Precision = "float32"
    """In which the merged weights answer."""
    quantisation: Quantisation = "none"


class Guard(Strict):
    """How places of law are written by hand, in the countries whose law is held: words before and after a number."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    everywhere: tuple[str, ...] = ()
    """Jurisdictions whose law may be cited whichever country is asked about: unions of countries."""


class GenerateJob(ModelFields):
    """Answer a dataset's prompts with a base model, optionally through an adapter.

    With `guard` answers cite no place but those of the model's citation tokens, and of the countries that a row of
    `prompts` names.
    """

    kind: Literal["generate"] = "generate"
    prompts: Digest
    sampling: Sampling
    guard: Guard | None = None


class EvaluateJob(ModelFields):
    """Loss of a model on the completions of prompt/completion rows, without training."""

    kind: Literal["evaluate"] = "evaluate"
    dataset: Digest
    batch_size: Annotated[int, Field(ge=1)]
    max_length: Annotated[int, Field(ge=16)] = 512


class ExportJob(Strict):
    """Write a base model, an adapter merged into it, as one folder of weights that any loader takes."""

    kind: Literal["export"] = "export"
    base: Digest
    adapter: Digest | None = None
    precision: Precision = "float32"


CUT_TEXTS = 32
"""Texts that a cut measures; the ranking of layers is stable well before that."""


class CutJob(Strict):
    """Make a smaller base model by removing the layers with the least block influence on the given texts."""

    kind: Literal["cut"] = "cut"
    base: Digest
    texts: Digest
    remove: Annotated[int, Field(ge=1)]


class TokensJob(Strict):
    """Give a base model a token for each place of law that is taught."""

    kind: Literal["tokens"] = "tokens"
    base: Digest
    citations: Digest
    """Rows of `text`, a written form, and `places`, the citation keys that it stands for."""
    noise: Annotated[float, Field(ge=0)] = 1.0
    """Of the new rows, in deviations of the embedding."""
    seed: int = 0


class VocabularyJob(Strict):
    """Make a smaller base model by leaving out tokens of its vocabulary that are rare, and not in the given words."""

    kind: Literal["vocabulary"] = "vocabulary"
    base: Digest
    words: Digest
    """Rows of `text`, whose tokens are kept."""
    merges: Annotated[int, Field(ge=0)]
    """How many of the tokenizer's merges, the most frequent first, are kept whatever the words."""


GgufType = Literal["f16", "q8_0", "q4_k_m"]
GGUF_TYPES: tuple[GgufType, ...] = ("f16", "q8_0", "q4_k_m")


class GgufJob(Strict):
    """Write a model, an adapter merged into it, as one GGUF file for each of `GGUF_TYPES`."""

    kind: Literal["gguf"] = "gguf"
    base: Digest
    adapter: Digest | None = None
    precision: Precision = "float32"
    """In which the adapter is merged."""
    published: Digest
    """The model whose tokenizer the base's came from."""
    golden: Digest
    """Rows of `prompt`, chat messages: their token ids are compared."""
    name: str


class GgufAnswersJob(Strict):
    """Answer a dataset's prompts greedily with a GGUF file in llama.cpp."""

    kind: Literal["gguf_answers"] = "gguf_answers"
    gguf: Digest
    """A `GgufJob`."""
    file: GgufType
    prompts: Digest
    max_new_tokens: Annotated[int, Field(ge=1)]
    slots: Annotated[int, Field(ge=1)] = 4
    """Answers at a time."""
    context: Annotated[int, Field(ge=64)]
    """Tokens of a question and its answer."""


TrainingJob = SftJob | GrpoJob
Job = Annotated[
    SftJob
    | GrpoJob
    | GenerateJob
    | EvaluateJob
    | ExportJob
    | CutJob
    | VocabularyJob
    | TokensJob
    | GgufJob
    | GgufAnswersJob,
    Field(discriminator="kind"),
]
_JOB: TypeAdapter[Job] = TypeAdapter(Job)


def identity(job: Job, environment: str) -> str:
    """SHA-256 (hex) of a job, the worker's code version and the digest of the libraries that it computes with."""
    spec = {"job": job.model_dump(mode="json"), "code": CODE_VERSION, "environment": environment}
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def parse_job(text: str) -> Job:
    """Read a job back from JSON.

    Raises:
        pydantic.ValidationError: no such kind, or a field that the kind does not have.
    """
    return _JOB.validate_json(text)
