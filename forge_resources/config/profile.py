"""A profile: which models, on which hardware, with how much budget. One YAML file each under `profiles/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from forge_resources.config.hardware import Device, devices
from forge_resources.config.search_grid import Value, space_problems
from forge_resources.config.strict_yaml import Lines, Problem, SourceError, read_yaml, refuse, validate, yaml_files
from forge_resources.storage.strict import Strict

FOLDER = Path(__file__).with_name("profiles")

DRAWS, KEPT = 192, 12
"""Of each company, change and country: fact sets drawn, and of those that the law answers alike, kept."""

Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]
Taught = Literal["reviewed", "verified"]


class _Finite(Strict, allow_inf_nan=False):
    """Also refuse what is no number."""


class Hardware(_Finite):
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


class Loading(_Finite):
    """How weights are held and spread. What is left out is decided from the model and the hardware."""

    precision: Literal["float32", "bfloat16"] | None = None
    compute: Literal["float32", "bfloat16"] | None = None
    """Of products, where weights are float32; left out: bfloat16 where the processor has instructions for it."""
    quantisation: Literal["none", "int8", "nf4"] | None = None
    gradient_checkpointing: bool | None = None
    processes: Positive | None = None
    sharding: Literal["none", "full"] | None = None

    @property
    def spec(self) -> dict[str, Any]:
        """Fields of a training job; the plainest where nothing was decided."""
        return {
            "precision": self.precision or "float32",
            "compute": self.compute or "float32",
            "quantisation": self.quantisation or "none",
            "gradient_checkpointing": bool(self.gradient_checkpointing),
            "processes": self.processes or 1,
            "sharding": self.sharding or "none",
        }


class Grpo(_Finite):
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


class Teacher(_Finite):
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


class Student(_Finite):
    """The model that is delivered.

    `cut_layers` makes it from the teacher by removing that many layers; if the cut model keeps less than
    `keep_share` of the teacher's composite on the validation set, the student is `model`, uncut.
    """

    model: str
    cut_layers: Annotated[int, Field(ge=0)] = 0
    cut_from: Literal["model", "teacher"] = "model"
    """What the layers are removed from: `model` as published, or the tuned teacher, which is the same model
    (Muralidharan et al. 2024, arXiv 2407.14679: a model is pruned after it was trained, and then taught again)."""
    keep_share: Annotated[float, Field(ge=0, le=1)] = 0.9
    loading: Loading = Loading()
    lora_rank: Positive | None = None
    learning_rate: Rate
    steps: Positive
    batch_size: Positive
    accumulation: Positive = 1


class Data(_Finite):
    """How many samples each stage takes, and of which kinds; None is all."""

    train: Positive
    validation: Positive = 20
    choice: Positive = 44
    """Validation samples on which the cut student is compared with its teacher."""
    benchmark: Positive = 132
    responses: Positive
    draws: Annotated[int, Field(ge=1, le=10_000)] = DRAWS
    """Fact sets drawn for each company, change and country."""
    kept: Positive = KEPT
    """Of those that the law answers alike, how many are asked about."""
    languages: Names | None = None
    """Languages of the questions."""
    registers: Names | None = None
    """Registers of the questions, e.g. plain, note, email."""
    depths: Names | None = None
    """Lengths of the answers: note, advice, memo."""
    answer_languages: Names | None = None
    """Languages of the answers."""
    variants: Names | None = None
    """Ways of asking, e.g. plain, below_threshold, missing_fact."""


class Pruning(_Finite):
    """Which trials end early: those whose loss is, after `warmup` of their steps, among the worst so far."""

    keep: Annotated[float, Field(gt=0, le=100)] = 75.0
    """Per cent of the trials, at the same step, that go on."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of the steps before which none ends."""


class Race(_Finite):
    """The best trials answer more questions before one of them is chosen."""

    candidates: Annotated[int, Field(ge=1)] = 4
    items: Positive = 66
    """Validation samples, beyond those of the trials, on which candidates are told apart."""
    confirm: Positive = 44
    """Further ones that only the winner answers: its reported score comes from them alone."""


class Search(_Finite):
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


class Vocabulary(_Finite):
    """A vocabulary with fewer tokens than the published one: faster steps for a small model that learns one subject."""

    merges: Annotated[int, Field(ge=0)]
    """How many of the most frequent tokens are kept beside those that the training samples are written with."""


class CitationTokens(_Finite):
    """A token for each place of law that is taught, so that a citation is one decision.

    The student then also answers the benchmark with its citations held to the tokens of the countries asked about.
    """

    noise: Annotated[float, Field(ge=0)] = 1.0
    """Of the new rows at the start, in deviations of the embedding."""
    weight: Rate = 1.0
    """What the loss of such a token counts; that of every other token counts 1."""
    rate: Rate = 1.0
    """How many times faster its row learns than all else, where every weight is trained."""


class Answers(_Finite):
    """Generation. Benchmark answers are greedy; teacher responses are drawn with temperature and top_p."""

    max_new_tokens: Positive
    batch_size: Positive
    temperature: Rate = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9


class Profile(_Finite):
    """Everything a run needs to know about models and budget."""

    name: str
    description: str
    jurisdictions: Names | None = None
    """Those trained on and measured; None is all."""
    catalog: Literal["all", "trained"] = "all"
    """Which countries `forge run` catalogues. With `trained`, citations of other countries cannot be judged."""
    provisions: Literal["core", "all"] = "all"
    """What scenarios ask: every provision, or the principal ones only. A small model learns few."""
    taught: Taught = "reviewed"
    """What may be taught: law that stands in the text and was read again, or all that stands in the text."""
    hardware: Hardware
    teacher: Teacher
    student: Student
    data: Data
    search: Search
    answers: Answers
    vocabulary: Vocabulary | None = None
    """None: as published."""
    citation_tokens: CitationTokens | None = None
    """None: places of law are written in the base model's own tokens, and answers are held to nothing."""
    max_length: Annotated[int, Field(ge=16)] = 512
    checkpoint_every: Positive = 20
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """As NumPy takes it."""


class ProfileError(ValueError):
    """There is no profile of that name; the message lists those there are."""


def profile_names() -> list[str]:
    """The shipped profiles, in name order."""
    return [path.stem for path in yaml_files(FOLDER)]


def load_profile(name: str, folder: Path | None = None) -> Profile:
    """Read `<folder>/<name>.yaml`; the folder is `FOLDER` unless one is given.

    Raises:
        ProfileError: unknown profile.
        SourceError: a field that is unknown, missing or wrong, with its line and mend.
    """
    return read_profile(name, folder)[0]


def read_profile(name: str, folder: Path | None = None) -> tuple[Profile, Path, Lines]:
    """A profile as `load_profile` gives it, its file, and the line of every field.

    Raises:
        ProfileError, SourceError: as `load_profile`.
    """
    folder = folder or FOLDER
    known = [path.stem for path in yaml_files(folder)]
    if name not in known:
        raise ProfileError(f"FORGE_PROFILE={name}: no such profile; choose one of {', '.join(known)}")
    path = folder / f"{name}.yaml"
    data, lines = read_yaml(path)
    if "name" in data:
        raise SourceError(path, lines["name",], "`name` is not a known field", "remove it: the file's name is it")
    profile = validate(Profile, path, {"name": name, **data}, lines)
    refuse(path, lines, _problems(profile))
    return profile, path, lines


def _problems(profile: Profile) -> Iterator[Problem]:
    """What no field shows alone."""
    yield from space_problems(profile.search.space)
    adapter = sorted({"rank", "alpha_ratio", "dropout", "target_modules"} & set(profile.search.space))
    if adapter and not profile.teacher.lora:
        mend = "remove it, or give the teacher an adapter"
        yield ("search", "space", adapter[0]), f"{adapter[0]} is searched, and teacher.lora is false", mend
    for i, modules in enumerate(profile.search.space.get("target_modules", ())):
        if profile.teacher.grpo and isinstance(modules, tuple) and "lm_head" in modules:
            mend = "leave lm_head out, or teacher.grpo"
            yield ("search", "space", "target_modules", i), "teacher.grpo cannot train lm_head", mend
    for at, names in {
        ("jurisdictions",): profile.jurisdictions,
        ("data", "languages"): profile.data.languages,
        ("data", "registers"): profile.data.registers,
        ("data", "depths"): profile.data.depths,
        ("data", "answer_languages"): profile.data.answer_languages,
        ("data", "variants"): profile.data.variants,
    }.items():
        for i, each in enumerate(names or ()):
            if each in (names or ())[:i]:
                yield (*at, i), f"`{each}` is listed twice", "keep one of them"
    train, teacher, student = profile.data.train, profile.teacher, profile.student
    if student.cut_from == "teacher" and not student.cut_layers:
        yield ("student", "cut_from"), "`student.cut_from: teacher`, and no layer is removed", "give `cut_layers`"
    rows = max(teacher.batch_size * teacher.accumulation, student.batch_size * student.accumulation)
    if train < rows:
        yield ("data", "train"), f"`data.train: {train}` is less than the {rows} rows of a step", f"give {rows} or more"
    asked: dict[tuple[str, ...], int] = {("data", "responses"): profile.data.responses}
    if teacher.grpo:
        asked["teacher", "grpo", "questions"] = teacher.grpo.questions
    for at, count in asked.items():
        if count > train:
            problem = f"`{'.'.join(at)}: {count}` is more than data.train, {train}"
            yield at, problem, "ask for no more: they are samples of it"
