"""What Prometheus scrapes: jobs that run or ended lately, counts of all jobs, and the last benchmark.

Run: forge metrics. It reads the data folder and writes nothing.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from forge_resources.storage.job_folder import JobFolder, reward_part
from forge_resources.storage.store import Store

RECENT_SECONDS = 900
"""For so long after its end a job's own figures are still shown."""

JOB = ("identity", "kind", "title")
"""Labels of a job; `job` is what Prometheus calls whom it scrapes."""

GAUGES = {
    "step": ("forge_job_step", "Optimiser steps done."),
    "steps": ("forge_job_steps", "Optimiser steps asked for."),
    "loss": ("forge_job_loss", "Training loss of the last step."),
    "grad_norm": ("forge_job_grad_norm", "Norm of the gradient of the last step."),
    "learning_rate": ("forge_job_learning_rate", "Learning rate of the last step."),
    "tokens_per_second": ("forge_job_tokens_per_second", "Tokens trained on or answered a second, at the last line."),
    "step_seconds": ("forge_job_step_seconds", "Latency of the last step, without the wait for data."),
    "data_seconds": ("forge_job_data_wait_seconds", "Wait for the last step's batches."),
    "checkpoint_seconds": ("forge_job_checkpoint_seconds", "What the last checkpoint took."),
    "rss_bytes": ("forge_job_resident_memory_bytes", "Resident memory of the worker."),
    "gpu_bytes": ("forge_job_gpu_memory_bytes", "The most that the worker has held of its GPU's memory."),
    "reward": ("forge_job_reward", "Mean reward of the last step's completions."),
    "kl": ("forge_job_kl", "Divergence from the model that training started from."),
    "completions/mean_length": ("forge_job_completion_tokens", "Mean length of the last step's completions."),
    "evaluated": ("forge_job_evaluated_rows", "Rows whose loss was computed."),
    "rows": ("forge_job_rows", "Rows whose loss was asked for."),
    "answered": ("forge_job_answered", "Answers written."),
    "answers": ("forge_job_answers", "Answers asked for."),
}
"""Name in the stream to name and meaning in Prometheus."""

SUMS = {
    "tokens": ("forge_job_trained_tokens", "Tokens trained on, those of steps done twice twice."),
    "new_tokens": ("forge_job_generated_tokens", "Tokens of answers."),
}


def serve(store: Store, envelopes: Mapping[str, float], address: str, port: int) -> None:
    """Answer scrapes of http://ADDRESS:PORT/metrics in a thread of its own.

    Args:
        envelopes: name of a profile to the bytes that its jobs may hold.

    Raises:
        OSError: the port is taken, or the address is not one of this machine.
        SchemaError: the benchmark's table was written by another version of the project.
    """
    collector, registry = JobCollector(store, envelopes), CollectorRegistry()
    list(collector.collect())  # what cannot be read is said now, not at the first scrape
    registry.register(collector)
    start_http_server(port, address, registry)


@dataclass(frozen=True)
class _Counted:
    """What the counts need of one job."""

    kind: str
    state: str
    outcomes: Mapping[str, int]
    """How its attempts ended; killed ones included."""

    @classmethod
    def of(cls, job: JobFolder, state: str) -> _Counted:
        outcomes = Counter(str(attempt["outcome"]) for attempt in job.ended)
        open_now = state == "running"
        outcomes["killed"] = max(0, job.attempts - outcomes.total() - open_now)
        return cls(job.kind, state, outcomes)


class JobCollector(Collector):
    """Reads the data folder at every scrape: of running jobs the new lines, of finished ones nothing."""

    def __init__(self, store: Store, envelopes: Mapping[str, float]) -> None:
        self._store = store
        self._envelopes = envelopes
        self._open: dict[str, JobFolder] = {}
        self._closed: dict[str, _Counted] = {}
        self._scores: tuple[float, pl.DataFrame] = (0.0, pl.DataFrame())
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """Every family, with or without samples."""
        with self._lock:
            jobs, counted = self._look()
            families = [*_job_families(jobs), *_count_families(counted), *self._benchmark(), self._envelope()]
        yield from families

    def _look(self) -> tuple[list[tuple[JobFolder, str]], list[_Counted]]:
        """Jobs to show with their states, and what is counted of all."""
        shown, counted = [], []
        for launch in sorted((self._store.root / "artefacts").glob("*/launch.json")):
            name = launch.parent.name
            if name in self._closed:
                counted.append(self._closed[name])
                continue
            job = self._open.setdefault(name, JobFolder(launch.parent))
            recent = time.time() - job.last_sign() < RECENT_SECONDS
            job.refresh(stream=recent or not (launch.parent / "record.json").exists())
            state = job.state()
            counted.append(_Counted.of(job, state))
            if recent or state in ("running", "starting"):
                shown.append((job, state))
            elif state == "finished":
                self._closed[name] = counted[-1]
                del self._open[name]
        return shown, counted

    def _benchmark(self) -> Iterator[Metric]:
        score = GaugeMetricFamily(
            "forge_benchmark_score", "Mean of a metric over the last benchmark.", labels=("model", "metric")
        )
        written = GaugeMetricFamily("forge_benchmark_written_timestamp_seconds", "When the last benchmark was written.")
        if (at := self._store.written_at("benchmark.scores")) is not None:
            if at != self._scores[0]:
                scores = self._store.read("benchmark.scores")
                self._scores = (at, scores.group_by("model", "metric").agg(pl.col("value").mean()).sort(pl.all()))
            for model, metric, value in self._scores[1].iter_rows():
                score.add_metric((model, metric), value)
            written.add_metric((), at)
        yield from (score, written)

    def _envelope(self) -> Metric:
        envelope = GaugeMetricFamily(
            "forge_memory_envelope_bytes", "Memory that the profile's jobs may hold.", labels=("profile",)
        )
        for profile, held in self._envelopes.items():
            envelope.add_metric((profile,), held)
        return envelope


def _job_families(jobs: list[tuple[JobFolder, str]]) -> Iterator[Metric]:
    info = InfoMetricFamily("forge_job", "What a job is.", labels=JOB)
    phase = GaugeMetricFamily("forge_job_phase", "1 for what a job does now, or how it ended.", labels=(*JOB, "phase"))
    seen = GaugeMetricFamily("forge_job_last_line_timestamp_seconds", "When a job last said something.", labels=JOB)
    left = GaugeMetricFamily("forge_job_remaining_seconds", "Seconds to its end at the present pace.", labels=JOB)
    part = GaugeMetricFamily("forge_job_reward_part", "Mean of one part of the reward.", labels=(*JOB, "part"))
    gauges = {key: GaugeMetricFamily(name, about, labels=JOB) for key, (name, about) in GAUGES.items()}
    sums = {key: CounterMetricFamily(name, about, labels=JOB) for key, (name, about) in SUMS.items()}
    for job, state in jobs:
        labels = (job.path.name[:12], job.kind, job.title)
        running = state == "running"
        info.add_metric(labels, {"base": str(job.spec.get("base", ""))[:12]})
        phase.add_metric((*labels, job.values["phase"] if running else state), 1)
        if "time" in job.values:
            seen.add_metric(labels, job.values["time"])
        if running and (seconds := job.seconds_left()) is not None:
            left.add_metric(labels, seconds)
        for key, gauge in gauges.items():
            if job.values.get(key) is not None:
                gauge.add_metric(labels, job.values[key])
        for key, value in job.values.items():
            if (named := reward_part(key)) is not None:
                part.add_metric((*labels, named), value)
        for key, counter in sums.items():
            if job.sums[key]:
                counter.add_metric(labels, job.sums[key])
    yield from (info, phase, seen, left, part, *gauges.values(), *sums.values())


def _count_families(counted: list[_Counted]) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("forge_jobs", "Jobs in the data folder by what became of them.", labels=("kind", "state"))
    attempts = CounterMetricFamily(
        "forge_job_attempts", "Attempts at jobs that are over, by outcome.", labels=("kind", "outcome")
    )
    for (kind, state), number in sorted(Counter((job.kind, job.state) for job in counted).items()):
        jobs.add_metric((kind, state), number)
    ended: Counter[tuple[str, str]] = Counter()
    for job in counted:
        ended.update({(job.kind, outcome): number for outcome, number in job.outcomes.items()})
    for (kind, outcome), number in sorted(ended.items()):
        attempts.add_metric((kind, outcome), number)
    yield from (jobs, attempts)
