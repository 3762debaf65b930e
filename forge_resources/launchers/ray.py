"""Run jobs on a Ray cluster, as many at once as it has room for: the same worker, started by a Ray task on a node.

Nodes have this project installed at the same place and see the data folder at the same path; a task that is cancelled
or lost ends its worker with a checkpoint. Needs the optional dependency group `ray`.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import dagster as dg
from pydantic import Field, PrivateAttr

from forge_resources.config.settings import read_settings
from forge_resources.launchers.base import (
    MARGIN_SECONDS,
    Ending,
    Launcher,
    LauncherError,
    how_it_ended,
    processes,
    supervised,
    worker_environment,
)
from forge_resources.processes.cause import Cause

_CONNECTING = threading.Lock()


class RayLauncher(Launcher):
    """Runs each job as a Ray task. Calls from several threads run at once.

    Attributes:
        address: of the cluster, as in `RAY_ADDRESS`; `auto` is the one that runs on this machine.
        num_cpus, num_gpus: what one process of a job reserves.
        memory_gb: what one process reserves, in GB (10^9 bytes); 0 reserves none.
    """

    address: str = "auto"
    num_cpus: float = Field(default=1, ge=0)
    num_gpus: float = Field(default=0, ge=0)
    memory_gb: float = Field(default=0, ge=0)
    _running: dict[Path, Any] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_environment(cls) -> Self:
        """On the cluster at RAY_ADDRESS; a process reserves FORGE_RAY_CPUS and FORGE_RAY_GPUS.

        Raises:
            LauncherError: what a process is to reserve is no number.
        """
        given = read_settings()
        return cls(
            address=given.ray_address,
            num_cpus=_amount("FORGE_RAY_CPUS", given.ray_cpus),
            num_gpus=_amount("FORGE_RAY_GPUS", given.ray_gpus),
        )

    def _work(self, context: dg.AssetExecutionContext, folder: Path) -> Ending:
        ray = self._connected()
        with self._session(context, folder) as environment:
            ranks = processes(folder)
            task = ray.remote(_supervise).options(
                name=f"job {folder.name[:12]}",
                num_cpus=self.num_cpus * ranks,
                num_gpus=self.num_gpus * ranks,
                memory=self.memory_gb * 1e9 * ranks,
                max_retries=0,  # the job is started again by whoever asks for it again
            )
            job = task.remote(folder, self.grace_seconds, worker_environment() | environment)
            self._running[folder] = job
            try:
                # Not ray.get: of interrupts it lets KeyboardInterrupt alone through, and Dagster raises its own.
                return how_it_ended(job.future().result())
            except ray.exceptions.RayError as error:
                return Ending(f"was lost by Ray: run it again, and it goes on: {error}", cause_of_loss(error))
            except BaseException:
                context.log.info("cancelled: asking the worker for a checkpoint")
                self._end(ray, [job])
                raise
            finally:
                del self._running[folder]

    def cancel(self) -> None:
        """Stop all jobs that run or wait for room."""
        self._end(self._connected(), list(self._running.values()))

    def stop(self, folder: Path) -> None:
        """Cancel the job's task, whether it runs or waits for room."""
        if (job := self._running.get(folder)) is not None:
            self._end(self._connected(), [job])

    def _end(self, ray: Any, jobs: list[Any]) -> None:
        left, until = jobs, time.monotonic() + self.grace_seconds + MARGIN_SECONDS
        while left and time.monotonic() < until:
            for job in left:
                ray.cancel(job)  # again and again: an interrupt can be lost in a node's own code
            _, left = ray.wait(left, num_returns=len(left), timeout=2)

    def _connected(self) -> Any:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        try:
            import ray
        except ImportError as error:
            raise LauncherError("FORGE_LAUNCHER=ray needs Ray: pip install -c constraints.txt '.[ray]'") from error
        with _CONNECTING:
            if not ray.is_initialized():
                try:
                    _knock(self.address)
                    ray.init(address=self.address, log_to_driver=False, logging_level=logging.ERROR)
                except (OSError, ValueError) as error:
                    raise LauncherError(
                        f"no Ray cluster at {self.address!r}: start one (ray start --head), or set RAY_ADDRESS"
                    ) from error
        return ray


def _amount(name: str, value: str) -> float:
    """Read an amount of devices.

    Raises:
        LauncherError: it is none.
    """
    try:
        amount = float(value)
    except ValueError:
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise LauncherError(f"{name}={value}: no amount: write a number such as 0.5")
    return amount


def _knock(address: str) -> None:
    """Connect to host:port once, for Ray itself would try for minutes.

    Raises:
        OSError: nobody is there.
    """
    host, _, port = address.rpartition(":")
    if host and "://" not in address:
        socket.create_connection((host, int(port)), timeout=10).close()


def cause_of_loss(error: Exception) -> Cause:
    """What a task died of that Ray lost."""
    from ray.exceptions import OutOfMemoryError, TaskCancelledError

    if isinstance(error, OutOfMemoryError):  # Ray ends tasks itself before a node's memory is full
        return Cause.OUT_OF_MEMORY
    return Cause.INTERRUPTED if isinstance(error, TaskCancelledError) else Cause.UNKNOWN


def _supervise(folder: Path, grace: float, environment: Mapping[str, str]) -> int:
    """On a node: run a job's supervisor to its end; exit status. Ray cancels by KeyboardInterrupt."""
    # A cluster that was started in the background of a script ignores SIGINT, and with it what Ray cancels by.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = supervised(folder, grace)
    supervisor = subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)
    try:
        return _waited(supervisor)
    except BaseException:
        supervisor.send_signal(signal.SIGTERM)
        _waited(supervisor, deaf=True)
        raise


def _waited(supervisor: subprocess.Popen[bytes], *, deaf: bool = False) -> int:
    """Exit status of the supervisor; `deaf` to interrupts, which it was told of already."""
    while True:
        try:
            return supervisor.wait(0.2)  # short, for an interrupt is heard in between only
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:
            if not deaf:
                raise
