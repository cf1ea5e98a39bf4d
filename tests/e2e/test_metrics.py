"""Every metric that alerts, dashboard and operations page name is told by the running stack."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.e2e.local_stack import ROOT, LocalStack

_NAME = re.compile(r"\binterleave_[a-z_]+")
_SUFFIX = re.compile(r"_(bucket|sum|count)$")
SERVICES = ("gateway", "planner", "critic", "generator", "worker", "reaper")


def told(stack: LocalStack) -> dict[str, set[str]]:
    """Metric -> the services that tell it."""
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        address = stack.child(service).address
        text = httpx.get(f"{address}/metrics", timeout=10.0, trust_env=False).text
        for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE):
            if not name.endswith("_created"):
                found.setdefault(name, set()).add(service)
    return found


def named(text: str) -> set[str]:
    """Metrics that a text names, without what Prometheus adds to histograms."""
    return {_SUFFIX.sub("", name) for name in _NAME.findall(text) if not name.endswith("_")}


@pytest.fixture(scope="module")
def metrics(stack: LocalStack) -> dict[str, set[str]]:
    return told(stack)


def test_alerts_and_dashboard_name_metrics_that_exist(metrics: dict[str, set[str]]) -> None:
    alerts = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    dashboard = (ROOT / "deploy/grafana/dashboards/interleave.json").read_text()
    panels: list[dict[str, Any]] = json.loads(dashboard)["panels"]
    expressions = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert named(alerts) - set(metrics) == set()
    assert named("\n".join(expressions)) - set(metrics) == set()


def test_the_operations_page_lists_exactly_what_is_told(metrics: dict[str, set[str]]) -> None:
    page = (ROOT / "docs/operations.md").read_text()
    table = page.partition("## All metrics of our own")[2].partition("\n## ")[0]
    listed = named(table)
    ours = {name for name in metrics if name.startswith("interleave_")}
    assert ours - listed == set()
    assert listed - ours == set()


def test_what_waits_is_told_by_the_reaper_and_what_is_done_by_the_worker(
    metrics: dict[str, set[str]],
) -> None:
    assert metrics["interleave_trajectories_waiting_oldest_seconds"] >= {"reaper"}
    assert metrics["interleave_webhook_oldest_undelivered_seconds"] >= {"reaper"}
    assert metrics["interleave_calls_wasted_total"] >= {"worker"}
    assert metrics["interleave_generator_waiting"] == {"generator"}
