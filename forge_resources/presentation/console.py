"""A Dagster logger for people at a terminal: what the assets say, a line each, and no tracebacks of what failed."""

from __future__ import annotations

import logging
import sys

import dagster as dg

TERMINAL = "terminal"
"""Name of the logger in a run's configuration."""


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {}) or {}
        return f"{self.formatTime(record, '%H:%M:%S')} {meta.get('step_key') or meta.get('job_name')}: {_said(record)}"


def _said(record: logging.LogRecord) -> str:
    meta = getattr(record, "dagster_meta", {}) or {}
    return str(meta.get("orig_message") or record.getMessage())


def _for_people(record: logging.LogRecord) -> bool:
    """Events are the machine's; failures are told once, by the command."""
    return (getattr(record, "dagster_meta", {}) or {}).get("dagster_event") is None


def _terminal(_: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("forge", logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    handler.addFilter(_for_people)
    logger.addHandler(handler)
    return logger


terminal_logger = dg.LoggerDefinition(_terminal, description="What assets say, a line each, on standard error.")
