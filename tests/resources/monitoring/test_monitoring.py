"""What `forge metrics` serves: a real Prometheus scrapes it while a real worker trains."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from forge_assets.scoring.reward import Reward
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.runtime.progress import Progress
from forge_resources.launchers.base import ENVIRONMENT, OFFLINE
from forge_resources.monitoring.prometheus import RECENT_SECONDS, JobCollector
from forge_resources.storage.job_folder import reward_metric
from forge_resources.storage.store import Store
from forge_resources.storage.tables import TABLES

FORGE = Path(sys.executable).with_name("forge")
DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "observability.md").read_text("utf-8")
DASHBOARD = json.loads((DOCS / "grafana.json").read_text("utf-8"))
EXPRESSIONS = {
    f"{panel['title']} {target['refId']}": target["expr"].replace("$identity", ".*")
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
}
BASE = "b" * 64
ROWS = [
    {
        "prompt": [{"role": "user", "content": f"What does § {number} BetrVG say?"}],
        "completion": [{"role": "assistant", "content": f"§ {number} BetrVG: the works council has a say."}],
    }
    for number in range(8)
]
ENDLESS = 10**6


@pytest.fixture(scope="session")
def prometheus() -> Path:
    """The program, from PATH or where `.ci/prometheus` puts it."""
    found = shutil.which("prometheus") or shutil.which("prometheus", path=str(FORGE.parent))
    if not found:
        pytest.skip("no Prometheus on PATH: install it, or run .ci/prometheus")
    return Path(found)


@dataclass(frozen=True)
class Scraped:
    """A Prometheus that scrapes a data folder, and the job that runs there."""

    address: str
    job: Path
    worker: subprocess.Popen[bytes]

    def ask(self, path: str, **query: str) -> Any:
        """What its HTTP API answers."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]

    def values(self, expression: str) -> dict[str, float]:
        """Name and labels of every series of an instant query to its value."""
        rows = self.ask("query", query=expression)["result"]
        return {json.dumps(row["metric"], sort_keys=True): float(row["value"][1]) for row in rows}

    def mine(self, expression: str) -> dict[str, float]:
        """The same of the running job's metrics, by name; all are of one scrape."""
        rows = self.ask("query", query=expression)["result"]
        named = [row for row in rows if row["metric"].get("identity") == self.job.name[:12]]
        return {row["metric"]["__name__"]: float(row["value"][1]) for row in named}


def _until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
        except urllib.error.URLError:
            pass  # it is starting
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended with the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Started(Exception):
    """The runner is told no more: the job runs on."""


def _endless_job(root: Path, model: Path) -> Path:
    """Folder of a training that was asked for and would run for hours."""
    found: list[Path] = []

    def launch(folder: Path) -> dict[str, Any]:
        found.append(folder)
        raise Started

    runner = JobRunner(Store(root), "e" * 64, {BASE: model}, launch)
    job = SftJob(
        base=BASE, dataset=runner.dataset(ROWS), lora=None, learning_rate=1e-4, batch_size=2, steps=ENDLESS,
        checkpoint_every=ENDLESS,
    )  # fmt: skip
    with pytest.raises(Started):
        runner.run(job, "teacher")
    return found[0]


def _rewarded_job(root: Path) -> None:
    """A job that ended just now and did all that a job can do."""
    folder = root / "artefacts" / ("9" * 64)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"kind": "grpo", "base": BASE, "steps": 1}), "utf-8")
    (folder / "launch.json").write_text(json.dumps({"title": "policy", "paths": {}}), "utf-8")
    progress = Progress(folder, None)
    progress.start("grpo")
    earned = Reward(
        citations=0.5,
        fields=0.5,
        country=1,
        level=0.25,
        structure=1,
        wording=0.5,
        unexpected_citations=0,
        unexpected_content=-0.25,
        verbosity=-0.125,
    )
    parts = {reward_metric(part): value for part, value in asdict(earned).items()} | {"completions/mean_length": 40.0}
    progress.metrics(step=1, loss=0.1, reward=0.75, kl=0.01, gpu_bytes=10**9, **parts)
    progress.metrics(checkpoint=1, checkpoint_seconds=0.5)
    progress.phase("evaluating", rows=4)
    progress.metrics(evaluated=4, rows=4)
    progress.phase("answering", answers=2)
    progress.metrics(answered=2, answers=2, new_tokens=30)
    progress.attempt(time.time(), "finished", "")
    progress.record("grpo", {})


def _scores(root: Path) -> None:
    rows = [
        {"model": model, "sample_id": sample, "metric": metric, "value": value}
        for model, metric, sample, value in (
            ("student_tuned", "composite", "one", 0.5),
            ("student_tuned", "composite", "two", 1.0),
            ("student_tuned", "citation_f1", "one", 0.25),
        )
    ]
    Store(root).write("benchmark.scores", pl.DataFrame(rows, schema=TABLES["benchmark.scores"].schema))


@pytest.fixture(scope="module")
def scraped(prometheus: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    data, logs = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("prometheus")
    _scores(data)
    _rewarded_job(data)
    job = _endless_job(data, tiny_model)
    metrics, port = _free_port(), _free_port()
    target = f"{{scrape_interval: 1s, job_name: forge, static_configs: [{{targets: ['127.0.0.1:{metrics}']}}]}}"
    (logs / "prometheus.yml").write_text(f"scrape_configs: [{target}]\n", "utf-8")
    trains = [sys.executable, "-m", "forge_assets.training.worker.main", str(job)]
    settings = {**ENVIRONMENT, **OFFLINE, "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    serves = [str(FORGE), "metrics", "--port", str(metrics)]
    scrapes = [
        str(prometheus), f"--config.file={logs / 'prometheus.yml'}", f"--storage.tsdb.path={logs / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    with (
        _running(trains, logs / "worker.txt", **settings) as worker,
        _running(serves, logs / "forge.txt", FORGE_DATA=str(data), FORGE_PROFILE="tiny"),
        _running(scrapes, logs / "prometheus.txt"),
    ):
        found = Scraped(f"http://127.0.0.1:{port}", job, worker)
        _until(lambda: 1.0 in found.values("up").values())
        _until(lambda: worker.poll() is None and found.mine("forge_job_step").get("forge_job_step", 0) > 20)
        yield found


def test_prometheus_has_what_the_running_worker_says(scraped: Scraped) -> None:
    held = scraped.mine('{__name__=~"forge_job_.*"}')
    written = (scraped.job / "metrics.jsonl").read_text("utf-8").splitlines(keepends=True)
    lines = [json.loads(line) for line in written if line.endswith("\n")]
    [line] = [line for line in lines if line.get("step") == held["forge_job_step"]]
    names = ("loss", "grad_norm", "learning_rate", "tokens_per_second", "step_seconds")
    assert {name: held[f"forge_job_{name}"] for name in names} == {name: line[name] for name in names}
    assert held["forge_job_data_wait_seconds"] == line["data_seconds"]
    assert held["forge_job_resident_memory_bytes"] == line["rss_bytes"]
    assert held["forge_job_last_line_timestamp_seconds"] == pytest.approx(line["time"], abs=0.01)
    assert held["forge_job_trained_tokens_total"] == sum(
        row["tokens"] for row in lines if row.get("step", ENDLESS) <= line["step"]
    )
    assert held["forge_job_steps"] == ENDLESS and held["forge_job_remaining_seconds"] > 60


def test_a_running_job_is_told_by_identity_kind_and_title(scraped: Scraped) -> None:
    [row] = scraped.ask("query", query='forge_job_phase{title="teacher"}')["result"]
    labels = {name: row["metric"][name] for name in ("identity", "kind", "title", "phase")}
    assert labels == {"identity": scraped.job.name[:12], "kind": "sft", "title": "teacher", "phase": "training"}
    [row] = scraped.ask("query", query='forge_job_info{title="teacher"}')["result"]
    assert row["metric"]["base"] == BASE[:12]
    assert 1 in scraped.values('forge_jobs{kind="sft",state="running"}').values()


def test_rewards_answers_and_benchmark_are_there(scraped: Scraped) -> None:
    def of(expression: str) -> list[float]:
        return list(scraped.values(expression).values())

    assert of('forge_job_reward{title="policy"}') == [0.75]
    parts = scraped.ask("query", query='forge_job_reward_part{title="policy"}')["result"]
    assert {row["metric"]["part"] for row in parts} == set(Reward.__dataclass_fields__)
    assert of('forge_job_reward_part{part="citations"}') == [0.5]
    assert of('forge_job_reward_part{part="level"}') == [0.25]
    assert of('forge_job_generated_tokens_total{title="policy"}') == [30]
    assert of('forge_job_phase{title="policy",phase="finished"}') == [1]
    assert of('forge_job_attempts_total{kind="grpo",outcome="finished"}') == [1]
    assert of('forge_benchmark_score{model="student_tuned",metric="composite"}') == [0.75]
    assert of('forge_benchmark_score{metric="citation_f1"}') == [0.25]
    assert len(of('forge_memory_envelope_bytes{profile="tiny"}')) == 1


def test_the_dashboard_names_only_metrics_that_are_served(scraped: Scraped) -> None:
    served = set(scraped.ask("metadata"))
    named = {name for expression in EXPRESSIONS.values() for name in re.findall(r"\bforge_\w+", expression)}
    assert named <= served | {f"{name}_total" for name in served}
    assert len(named) > 20


def test_prometheus_takes_the_alerts_of_the_guide(scraped: Scraped) -> None:
    alerts = re.findall(r"^  expr: (.+)$", GUIDE, re.MULTILINE)
    assert len(alerts) == 2
    assert [scraped.ask("query", query=alert)["resultType"] for alert in alerts] == ["vector", "vector"]


@pytest.mark.parametrize("target", EXPRESSIONS)
def test_prometheus_takes_every_expression_of_the_dashboard(scraped: Scraped, target: str) -> None:
    result = scraped.ask("query", query=EXPRESSIONS[target])["result"]
    assert result or "[" in EXPRESSIONS[target], "only what looks back has nothing to show yet"


def test_a_worker_that_is_stopped_is_counted_as_interrupted(scraped: Scraped) -> None:
    scraped.worker.send_signal(signal.SIGTERM)
    _until(lambda: 1 in scraped.values('forge_job_attempts_total{kind="sft",outcome="interrupted"}').values())
    assert 1 in scraped.values('forge_job_phase{title="teacher",phase="interrupted"}').values()
    assert scraped.mine('{__name__="forge_job_remaining_seconds"}') == {}


def _samples(root: Path) -> dict[tuple[str, tuple[str, ...]], float]:
    """Name and label values of everything that a data folder's exporter would serve now."""
    families = JobCollector(Store(root), {}).collect()
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


def test_a_data_folder_without_jobs_is_served_and_left_as_it_is(tmp_path: Path) -> None:
    assert _samples(tmp_path / "nothing") == {}
    assert not (tmp_path / "nothing").exists()


def test_a_worker_that_was_killed_is_counted_and_its_job_shown_as_killed(tmp_path: Path) -> None:
    folder = tmp_path / "artefacts" / ("1" * 64)
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps({"kind": "sft", "base": BASE, "steps": 9}), "utf-8")
    (folder / "launch.json").write_text(json.dumps({"title": "teacher", "paths": {}}), "utf-8")
    assert _samples(tmp_path)["forge_jobs", ("sft", "starting")] == 1
    code = (
        "import sys, time; from pathlib import Path; from forge_assets.training.runtime.progress import Progress; "
        "Progress(Path(sys.argv[1]), None).start('sft'); time.sleep(600)"
    )
    with _running([sys.executable, "-c", code, str(folder)], tmp_path / "log.txt"):
        _until((folder / "metrics.jsonl").exists)
        assert _samples(tmp_path)["forge_jobs", ("sft", "running")] == 1
    after = _samples(tmp_path)
    assert after["forge_jobs", ("sft", "killed")] == 1
    assert after["forge_job_attempts_total", ("sft", "killed")] == 1


def test_a_job_that_ended_long_ago_is_counted_but_its_own_figures_are_gone(tmp_path: Path) -> None:
    _rewarded_job(tmp_path)
    assert ("forge_job_reward", ("9" * 12, "grpo", "policy")) in _samples(tmp_path)
    old = time.time() - RECENT_SECONDS - 60
    for file in (tmp_path / "artefacts").glob("*/*"):
        os.utime(file, (old, old))
    after = _samples(tmp_path)
    assert not [name for name, _ in after if name.startswith("forge_job_") and name != "forge_job_attempts_total"]
    assert after["forge_jobs", ("grpo", "finished")] == after["forge_job_attempts_total", ("grpo", "finished")] == 1


def test_a_port_that_is_taken_is_one_clear_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [FORGE, "metrics", "--port", port],
            capture_output=True,
            encoding="utf-8",
            env=os.environ | {"FORGE_DATA": str(tmp_path)},
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_guide_names_every_metric(tmp_path: Path) -> None:
    suffixes = {"counter": "_total", "info": "_info"}
    names = [family.name + suffixes.get(family.type, "") for family in JobCollector(Store(tmp_path), {}).collect()]
    assert [name for name in names if f"`{name}`" not in GUIDE] == []
