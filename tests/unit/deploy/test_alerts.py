"""Alert rules are valid PromQL, on metrics and labels that exist, and each has its instructions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

ROOT = Path(__file__).parents[3]
_RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
RULES: list[dict[str, Any]] = [rule for group in _RULES["groups"] for rule in group["rules"]]
NAMES = [str(rule["alert"]) for rule in RULES]
PAGE = (ROOT / "docs/operations.md").read_text()


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_is_one_that_prometheus_takes(rule: dict[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert isinstance(promql_parser.parse(rule["expr"]), promql_parser.Expr)
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert rule["labels"]["severity"] in {"page", "warn", "info"}
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    grouped = set(",".join(re.findall(r"by \(([^)]*)\)", rule["expr"])).replace(" ", "").split(","))
    assert used <= grouped or "by" not in rule["expr"]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_has_a_section_that_says_what_to_do(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    section = re.search(rf"^### {name}\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert len(section[1].split()) > 15
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"


def test_every_section_about_an_alert_has_its_rule() -> None:
    alerts = PAGE.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (\w+)$", alerts, re.MULTILINE) == NAMES


def test_the_syntax_check_would_notice_a_mistake() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        promql_parser.parse("sum by (rate(interleave_x_total[5m])")
