"""Group relative policy optimisation with TRL, rewarded by the scoring room; resumes from its last whole checkpoint."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel, prepare_model_for_kbit_training
from trl import GRPOConfig, GRPOTrainer

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.serialization import read_laws
from forge_assets.scoring.reward import reward
from forge_assets.training.jobs.spec import GrpoJob
from forge_assets.training.models.adapters import with_adapter
from forge_assets.training.models.citation_tokens import read_tokens
from forge_assets.training.models.loading import load_model, load_tokenizer, model_folder
from forge_assets.training.runtime.checkpoints import seal
from forge_assets.training.runtime.progress import Progress
from forge_assets.training.trainers.arguments import common_arguments
from forge_assets.training.trainers.callback import Watch
from forge_assets.training.trainers.distributed import ready
from forge_assets.training.trainers.loop import logged, mean, run_to_end, save_result
from forge_resources.processes.interrupt import Interrupt, Interrupted
from forge_resources.processes.ranks import world_size
from forge_resources.storage.job_folder import reward_metric
from forge_resources.storage.json_lines import read_json_lines

Rows = list[dict[str, Any]]


def train(job: GrpoJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt) -> dict[str, Any]:
    """Train on and save `result/adapter`, or `result/model` where the job names no adapter.

    Returns:
        What was measured: steps, tokens, seconds, loss and reward at both ends, questions asked and left out, and
        the share of answers that were cut: they earn what they say as far as it goes.

    Raises:
        Interrupted: stopped early; a checkpoint holds every whole step.
        FloatingPointError: the loss, or what the model answers with, is no longer a number.
        ValueError: no question is short enough.
    """
    base, arguments = model_folder(paths[job.base]), ready(job, _arguments(job, work))
    tokenizer, tokens = load_tokenizer(base), read_tokens(base)
    with interrupt.at_once():
        laws = read_laws(read_json_lines(paths[job.laws]))
        model = load_model(base, job.precision, job.quantisation)
        if job.quantisation != "none":
            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=job.gradient_checkpointing)
        if job.adapter:
            model = with_adapter(model, paths[job.adapter] / "adapter", trainable=True)
    given = read_json_lines(paths[job.questions])
    questions = [row for row in given if _length(tokenizer, row) <= job.max_prompt]
    if not questions:
        raise ValueError(f"no question has max_prompt {job.max_prompt} tokens or less: raise max_prompt")
    if left_out := len(given) - len(questions):
        progress.say(
            f"{left_out} of {len(given)} questions are longer than max_prompt {job.max_prompt} and are left out: "
            "raise max_prompt"
        )
    trainer = PolicyTrainer(
        interrupt=interrupt,
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(asked(questions, job)),
        processing_class=tokenizer,
        reward_funcs=[judge(questions, laws)],
        callbacks=[Watch(progress, interrupt)],
    )
    measured = run_to_end(trainer, job, work, progress, interrupt)
    progress.phase("saving")
    if isinstance(trainer.model, PeftModel) and "ref" in trainer.model.peft_config:
        trainer.model.delete_adapter("ref")  # where training started from, which the KL penalty is towards
    save_result(trainer, tokenizer, tokens, job, work, adapter=job.adapter is not None)
    rewards, cut = logged(trainer, "reward"), mean(logged(trainer, "completions/clipped_ratio"))
    if cut:
        progress.say(f"{cut:.1%} of the answers drawn were cut at max_new_tokens {job.max_new_tokens}: raise it")
    return measured | {
        "reward_first": mean(rewards[:5]),
        "reward_last": mean(rewards[-5:]),
        "questions": len(questions),
        "questions_left_out": left_out,
        "answers_cut": cut,
    }


class PolicyTrainer(GRPOTrainer):  # type: ignore[misc]
    """GRPOTrainer that can be stopped while it answers, and then keeps every whole step.

    It answers before the first backward pass of a step: weights and optimizer are those that the step before left, so
    a checkpoint of them, with the random state from before the answers, is one of that step.
    """

    def __init__(self, *, interrupt: Interrupt, model: Any, **given: Any) -> None:
        exact = {name: weight.data for name, weight in model.named_parameters() if weight.requires_grad}
        super().__init__(model=model, **given)
        # TRL rounds adapters of quantised models to bfloat16, which loses the small updates that GRPO makes.
        for name, weight in model.named_parameters():
            if name in exact:
                weight.data = exact[name]
        self._interrupt = interrupt

    def _generate_and_score_completions(self, inputs: Rows) -> dict[str, Any]:
        tokens, states = self.state.num_input_tokens_seen, _random_states()
        try:
            with self._at_every_token():
                answered: dict[str, Any] = super()._generate_and_score_completions(inputs)
        except Interrupted:
            self.state.num_input_tokens_seen = tokens
            _set_random_states(states)
            self._keep()
            raise
        return answered

    @contextmanager
    def _at_every_token(self) -> Iterator[None]:
        answers = self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model
        hook = answers.register_forward_hook(self._look)
        try:
            yield
        finally:
            hook.remove()

    def _look(self, module: torch.nn.Module, given: Any, output: Any) -> None:
        logits = getattr(output, "logits", None)
        if logits is not None and not torch.isfinite(logits[:, -1].amax()):
            raise FloatingPointError(
                f"step {self.state.global_step}: what the model answers with is no longer a number: "
                "lower the learning rate"
            )
        if world_size() == 1:  # several have to stop at the same place: at the end of the step
            self._interrupt.check()

    def _keep(self) -> None:
        """Write a checkpoint of the last whole step, if there is none yet."""
        path = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if self.state.global_step and not path.exists():
            self._save_checkpoint(self.model, trial=None)
            seal(path)


def judge(questions: Rows, laws: LawIndex) -> Callable[..., list[float]]:
    """The reward function that TRL calls: totals; the mean of each part is logged too."""
    samples = {row["sample_id"]: row | {"prompt": row["prompt"][-1]["content"]} for row in questions}

    def total(
        completions: list[list[dict[str, Any]]],
        sample_id: list[str],
        log_metric: Callable[[str, float], None],
        **_: Any,
    ) -> list[float]:
        found = [
            reward(completion[-1].get("content") or "", samples[name], laws)
            for completion, name in zip(completions, sample_id, strict=True)
        ]
        for part in asdict(found[0]):
            log_metric(reward_metric(part), sum(getattr(each, part) for each in found) / len(found))
        return [each.total for each in found]

    return total


def asked(questions: Rows, job: GrpoJob) -> Rows:
    """Which question is asked when: all of them, then all again in another order, until every step has its own.

    As one long epoch, for TRL's sampler begins its orders anew in a run that resumes in a later one.
    """
    count = job.steps * job.batch_size * job.accumulation * job.processes // job.group
    order: list[int] = []
    drawn = random.Random(job.seed)
    while len(order) < count:
        order += drawn.sample(range(len(questions)), len(questions))
    return [{name: questions[i][name] for name in ("sample_id", "prompt")} for i in order[:count]]


def _arguments(job: GrpoJob, work: Path) -> GRPOConfig:
    return GRPOConfig(
        **common_arguments(job, work, cuda=torch.cuda.is_available())
        | {"include_num_input_tokens_seen": "no"},  # TRL counts what it asked and answered itself
        # A round of answers a step (TRL's default), so that every checkpoint lies between rounds.
        num_generations=job.group,
        max_completion_length=job.max_new_tokens,
        temperature=job.temperature,
        top_p=job.top_p,
        beta=job.beta,
        shuffle_dataset=False,
        disable_dropout=True,  # what is rewarded is what will answer
    )


def _length(tokenizer: Any, row: dict[str, Any]) -> int:
    """Tokens of a question."""
    return len(tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=True)["input_ids"])


def _random_states() -> tuple[torch.Tensor, list[torch.Tensor]]:
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def _set_random_states(states: tuple[torch.Tensor, list[torch.Tensor]]) -> None:
    torch.set_rng_state(states[0])
    if states[1]:
        torch.cuda.set_rng_state_all(states[1])
