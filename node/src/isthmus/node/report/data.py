"""The report as plain data for JSON: the same keys whether exact or for sharing.

A count is a whole number, or one of the texts of `Hidden`. Shares are in [0, 1].
"""

from dataclasses import asdict
from typing import Any, Final

from isthmus.node.report.findings import find
from isthmus.node.report.model import Count, Report

FORMAT: Final = "isthmus/data-quality/1"


def report_data(report: Report[Count]) -> dict[str, Any]:
    """The report as dicts, lists, texts and numbers, with the findings in words."""
    findings = [{"level": one.level.value, "field": one.field, "text": one.text} for one in find(report)]
    return {"format": FORMAT, **asdict(report), "findings": findings}
