"""A profile: which models, on which hardware, with how much budget. One YAML file each under `profiles/`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from forge_resources.hardware import Device, devices

FOLDER = Path(__file__).with_name("profiles")

NUMBERS = ("learning_rate", "rank", "alpha_ratio", "dropout", "batch_size", "warmup_ratio", "weight_decay")
"""What a search may vary that is a number."""

CHOICES = ("target_modules", "scheduler")
"""What it may vary that is one of several; `target_modules` are sets of modules, or `all-linear`."""

DRAWS, KEPT = 192, 12
"""Of each company, change and country: fact sets drawn, and of those that the law answers alike, kept."""

Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hardware(_Strict):
    """Where the profile runs. `memory_gb` is the envelope of one device the guards keep to, in GB (10^9 bytes)."""

    device: Literal["cpu", "cuda"]
    memory_gb: Rate
    name: str = "cpu"
    """A row of `hardware.yaml`."""
    count: Positive = 1
    """Devices that train together."""

    @model_validator(mode="after")
    def _row(self) -> Hardware:
        row = devices().get(self.name)
        if row is None or row.device != self.device:
            fit = ", ".join(name for name, row in devices().items() if row.device == self.device)
            raise ValueError(f"name {self.name!r} is no {self.device} of hardware.yaml: choose from {fit}")
        if self.memory_gb > row.memory_gb:
            raise ValueError(f"memory_gb {self.memory_gb:g} is more than the {row.memory_gb:g} GB of a {self.name}")
        return self

    @property
    def row(self) -> Device:
        """What the table says of the device."""
        return devices()[self.name]


class Loading(_Strict):
    """How weights are held and spread. What is left out is decided from the model and the hardware."""

    precision: Literal["float32", "bfloat16"] | None = None
    quantisation: Literal["none", "int8", "nf4"] | None = None
    gradient_checkpointing: bool | None = None
    processes: Positive | None = None
    sharding: Literal["none", "full"] | None = None

    @property
    def spec(self) -> dict[str, Any]:
        """Fields of a training job; the plainest where nothing was decided."""
        return {
            "precision": self.precision or "float32",
            "quantisation": self.quantisation or "none",
            "gradient_checkpointing": bool(self.gradient_checkpointing),
            "processes": self.processes or 1,
            "sharding": self.sharding or "none",
        }


class Grpo(_Strict):
    """Reinforcement of the tuned teacher; taken over only where it answers better beyond noise.

    `batch_size` x `accumulation` answers, in groups of `group` to a question, make a step, on all devices together.
    """

    steps: Positive
    group: Annotated[int, Field(ge=2)]
    batch_size: Positive
    accumulation: Positive = 1
    learning_rate: Rate
    temperature: Rate = 1.0
    beta: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the penalty for moving away from the tuned teacher."""
    max_new_tokens: Positive
    questions: Positive
    """How many training samples it is asked."""

    @model_validator(mode="after")
    def _whole_groups(self) -> Grpo:
        if self.batch_size * self.accumulation % self.group:
            raise ValueError(
                f"batch_size x accumulation is {self.batch_size * self.accumulation}: "
                f"make it a multiple of group {self.group}"
            )
        return self


class Teacher(_Strict):
    """The model that is tuned first: an adapter, or every weight without `lora`.

    `batch_size` x `accumulation` rows make a step, on all devices together; how they are split may be decided anew.
    """

    model: str
    lora: bool = True
    loading: Loading = Loading()
    steps: Positive
    batch_size: Positive
    accumulation: Positive = 1
    grpo: Grpo | None = None
    """None: what is tuned is not reinforced."""


class Student(_Strict):
    """The model that is delivered.

    `cut_layers` makes it from the teacher by removing that many layers; if the cut model keeps less than
    `keep_share` of the teacher's composite on the validation set, the student is `model`, uncut.
    """

    model: str
    cut_layers: Annotated[int, Field(ge=0)] = 0
    keep_share: Annotated[float, Field(ge=0, le=1)] = 0.9
    loading: Loading = Loading()
    lora_rank: Positive | None = None
    learning_rate: Rate
    steps: Positive
    batch_size: Positive
    accumulation: Positive = 1


class Data(_Strict):
    """How many samples each stage takes, and of which kinds; None is all."""

    train: Positive
    validation: Positive = 20
    choice: Positive = 44
    """Validation samples on which the cut student is compared with its teacher."""
    benchmark: Positive = 132
    responses: Positive
    draws: Positive = DRAWS
    """Fact sets drawn for each company, change and country."""
    kept: Positive = KEPT
    """Of those that the law answers alike, how many are asked about."""
    languages: tuple[str, ...] | None = None
    """Languages of the questions."""
    registers: tuple[str, ...] | None = None
    """Registers of the questions, e.g. note, email."""
    variants: tuple[str, ...] | None = None
    """Ways of asking, e.g. plain, below_threshold, missing_fact."""


class Pruning(_Strict):
    """Which trials end early: those whose loss is, after `warmup` of their steps, among the worst so far."""

    keep: Annotated[float, Field(gt=0, le=100)] = 75.0
    """Per cent of the trials, at the same step, that go on."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the steps before which none ends."""


class Race(_Strict):
    """The best trials answer more questions before one of them is chosen."""

    candidates: Annotated[int, Field(ge=1)] = 4
    items: Positive = 66
    """Validation samples, beyond those of the trials, on which candidates are told apart."""
    confirm: Positive = 44
    """Further ones that only the winner answers: its reported score comes from them alone."""


Value = float | str | tuple[str, ...]


class Search(_Strict):
    """Hyper-parameter search. `space` maps a parameter to its grid: numbers in ascending order, or choices."""

    trials: Annotated[int, Field(ge=3)]
    steps: Positive
    sampler: Literal["three-phase", "tpe", "gp", "cmaes", "random", "qmc"] = "three-phase"
    pruning: Pruning | None = Pruning()
    """None: every trial trains to its end."""
    race: Race = Race()
    parallel: Positive = 1
    """Trials that are proposed and run at once, where the launcher has room."""
    space: dict[str, tuple[Value, ...]]

    @field_validator("space")
    @classmethod
    def _known(cls, space: dict[str, tuple[Value, ...]]) -> dict[str, tuple[Value, ...]]:
        for name, grid in space.items():
            if name not in NUMBERS + CHOICES:
                raise ValueError(f"{name!r} cannot be searched; choose from {', '.join(NUMBERS + CHOICES)}")
            if not grid or len(grid) != len(set(grid)):
                raise ValueError(f"{name}: list at least one value, without repeats")
            numbers = [value for value in grid if isinstance(value, float)]
            if name in NUMBERS and len(numbers) < len(grid):
                raise ValueError(f"{name}: {next(v for v in grid if not isinstance(v, float))!r} is no number")
            if name in NUMBERS and numbers != sorted(numbers):
                raise ValueError(f"{name}: list its values ascending")
            if name in CHOICES and numbers:
                raise ValueError(f"{name}: {numbers[0]:g} is a number: list names, or sets of names as lists")
        if "learning_rate" not in space:
            raise ValueError("learning_rate is missing: it is the one parameter that every search needs")
        unknown = set(space.get("scheduler", ())) - {"constant", "linear", "cosine"}
        if unknown:
            raise ValueError(f"scheduler: {sorted(map(str, unknown))[0]!r} is none of constant, linear, cosine")
        return space


class Answers(_Strict):
    """Generation. Benchmark answers are greedy; teacher responses are drawn with temperature and top_p."""

    max_new_tokens: Positive
    batch_size: Positive
    temperature: Rate = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9


class Profile(_Strict):
    """Everything a run needs to know about models and budget."""

    name: str
    description: str
    jurisdictions: tuple[str, ...] | None = None
    """Those trained on and measured; None is all."""
    catalog: Literal["all", "trained"] = "all"
    """Which countries `forge run` catalogues. With `trained`, citations of other countries cannot be judged."""
    provisions: Literal["core", "all"] = "all"
    """What scenarios ask: every provision, or the principal ones only. A small model learns few."""
    hardware: Hardware
    teacher: Teacher
    student: Student
    data: Data
    search: Search
    answers: Answers
    max_length: Positive = 512
    checkpoint_every: Positive = 20
    seed: int = 0

    @model_validator(mode="after")
    def _searchable(self) -> Profile:
        without = {"rank", "alpha_ratio", "dropout", "target_modules"} & set(self.search.space)
        if not self.teacher.lora and without:
            raise ValueError(f"search.space has {', '.join(sorted(without))}, and teacher.lora is false: no adapter")
        heads = [one for one in self.search.space.get("target_modules", ()) if "lm_head" in one]  # type: ignore[operator]
        if heads and self.teacher.grpo:
            raise ValueError("search.space.target_modules has lm_head, and teacher.grpo cannot train that: drop one")
        return self


class ProfileError(Exception):
    """A profile that cannot be used; the message names file, field and mend."""


def profile_names() -> list[str]:
    """The shipped profiles, in name order."""
    return sorted(p.stem for p in FOLDER.glob("*.yaml"))


def load_profile(name: str, folder: Path = FOLDER) -> Profile:
    """Read `<folder>/<name>.yaml`.

    Raises:
        ProfileError: unknown profile, unknown or missing field, wrong type.
    """
    path = folder / f"{name}.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise ProfileError(f"FORGE_PROFILE={name}: no such profile; choose one of {known}")
    try:
        raw: Any = yaml.safe_load(path.read_text())
        if not isinstance(raw, dict):
            raise ProfileError(f"{path}: not a mapping: write one `field: value` a line, as in cpu.yaml")
        return Profile.model_validate({"name": name, **raw})
    except yaml.YAMLError as error:
        raise ProfileError(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ProfileError(f"{path}: {field}: {first['msg']}") from error
