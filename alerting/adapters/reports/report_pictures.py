"""The report's pictures as SVG. Small populations are listed, not plotted."""

from datetime import date

from alerting.adapters.reports.pictures import svg
from alerting.services.reports.report_lines import Line, Report

FEWEST = 10
"""Measured promises a week must have on average to be worth a curve."""

_COLOURS = {"acknowledge": "#a65b00", "contact": "#1559b7", "resolve": "#1c7a43"}


def report_pictures(found: Report) -> dict[str, str]:
    """By name, those there is enough to show for."""
    weeks = {line.name for line in found.by_week}
    measured = sum(line.attainment.measured for line in found.by_week)
    if len(weeks) < 3 or measured < FEWEST * len(weeks):
        return {}
    return {"weeks": _weeks([line for line in found.by_week if line.attainment.measured])}


MOST_LABELS = 14


def _mondays(lines: list[Line]) -> list[dict[str, object]]:
    """Where the axis says a day: on Mondays, which begin the weeks, and no more of them than can be
    read.
    """
    days = sorted({line.name for line in lines})
    found = [date.fromisoformat(day) for day in days[:: -(-len(days) // MOST_LABELS)]]
    return [{"year": day.year, "month": day.month, "date": day.day, "utc": True} for day in found]


def _weeks(lines: list[Line]) -> str:
    values = [
        {
            "week": line.name,
            "clock": line.kind,
            "share": line.attainment.share,
            "measured": line.attainment.measured,
        }
        for line in lines
    ]
    kinds = [kind for kind in _COLOURS if any(line.kind == kind for line in lines)]
    colour = {
        "field": "clock",
        "scale": {"domain": kinds, "range": [_COLOURS[kind] for kind in kinds]},
        "legend": {"title": None, "orient": "top"},
    }
    share = {
        "field": "share",
        "type": "quantitative",
        "title": "in target",
        "scale": {"domain": [0, 1]},
    }
    spec = {
        "width": 820,
        "height": 220,
        "data": {"values": values},
        "mark": {"type": "line", "point": True, "strokeWidth": 2},
        "encoding": {
            "x": {
                "field": "week",
                "type": "temporal",
                "title": "week of",
                "scale": {"type": "utc"},
                "axis": {"format": "%d %b %Y", "labelAngle": -30, "values": _mondays(lines)},
            },
            "y": {**share, "axis": {"format": ".0%", "tickCount": 5}},
            "color": colour,
            "shape": {"field": "clock", "scale": {"domain": kinds}, "legend": None},
        },
    }
    return svg(spec, "Promises kept, by the week they were made")
