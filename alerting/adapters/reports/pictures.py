"""Pictures as SVG, drawn by Vega-Lite: no script ends up in a page or a mail."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import vl_convert

from alerting.services.customers.segment_report import SegmentReport

_COLOURS = ["#9aa5b1", "#b3261e"]
"""Before and after: quiet beside loud, and told apart without colours by their places."""


def weeks_picture(series: Mapping[str, Mapping[date, int]], title: str) -> str:
    """Counts per week as bars, one series beside the other; weeks without any are shown as such."""
    weeks = _weeks([week for counts in series.values() for week in counts])
    values = [
        {"week": week.isoformat(), "series": name, "alerts": counts.get(week, 0)}
        for name, counts in series.items()
        for week in weeks
    ]
    names = list(series)
    spec = {
        "width": max(320, 34 * len(weeks)),
        "height": 220,
        "data": {"values": values},
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            "x": {
                "field": "week",
                "type": "ordinal",
                "title": "week of",
                "axis": {"labelAngle": -45},
            },
            "xOffset": {"field": "series", "sort": names},
            "y": {
                "field": "alerts",
                "type": "quantitative",
                "title": "alerts",
                "axis": {"tickMinStep": 1},
            },
            "color": {
                "field": "series",
                "scale": {"domain": names, "range": _COLOURS[-len(names) :]},
                "legend": {"title": None, "orient": "top"} if len(names) > 1 else None,
            },
        },
    }
    return svg(spec, title)


def pareto_picture(points: Sequence[tuple[float, float]], title: str) -> str:
    """Who brings how much: the share of customers (largest first) against the share of what they
    bring, 0 to 1.
    """
    values = [{"of": 0.0, "brings": 0.0}, *({"of": of, "brings": brings} for of, brings in points)]
    at = next(((of, brings) for of, brings in points if of >= 0.2), None)
    said = [{"of": at[0], "brings": at[1], "text": f"{at[0]:.0%} bring {at[1]:.0%}"}] if at else []
    percent = {"format": ".0%", "tickCount": 6}
    axes = {
        "x": {
            "field": "of",
            "type": "quantitative",
            "title": "customers, the largest first",
            "axis": percent,
        },
        "y": {
            "field": "brings",
            "type": "quantitative",
            "title": "share of the whole",
            "axis": percent,
        },
    }
    layers: list[dict[str, object]] = [
        {"mark": {"type": "area", "color": _COLOURS[0], "opacity": 0.35}, "encoding": axes},
        {"mark": {"type": "line", "point": True, "color": _COLOURS[1]}, "encoding": axes},
        {
            "data": {"values": said},
            "mark": {
                "type": "text",
                "align": "left",
                "dx": 10,
                "dy": 14,
                "fontSize": 14,
                "fontWeight": "bold",
            },
            "encoding": {**axes, "text": {"field": "text"}},
        },
    ]
    return svg({"data": {"values": values}, "layer": layers, "width": 420, "height": 260}, title)


def moves_picture(ways: Mapping[tuple[str, str], int], order: Sequence[str], title: str) -> str:
    """Customers by the segment they left and the one they entered: the darker the more."""
    values = [{"from": a, "to": b, "customers": n} for (a, b), n in ways.items()]
    axes = {
        "x": {
            "field": "to",
            "type": "ordinal",
            "sort": list(order),
            "axis": {"labelAngle": -30, "orient": "top"},
        },
        "y": {"field": "from", "type": "ordinal", "sort": list(order)},
    }
    shade = {
        "field": "customers",
        "type": "quantitative",
        "scale": {"scheme": "oranges"},
        "legend": None,
    }
    most = max(ways.values(), default=0)
    ink = {
        "condition": {"test": f"datum.customers > {most / 2}", "value": "white"},
        "value": "#1b2430",
    }
    layers = [
        {"mark": {"type": "rect", "cornerRadius": 3}, "encoding": {**axes, "color": shade}},
        {
            "mark": {"type": "text", "fontSize": 14},
            "encoding": {**axes, "text": {"field": "customers"}, "color": ink},
        },
    ]
    size = {"width": {"step": 92}, "height": {"step": 40}}
    return svg({"data": {"values": values}, "layer": layers, **size}, title)


def segment_pictures(found: SegmentReport) -> dict[str, str]:
    """The report's pictures by name, those there is something to show for."""
    pictures = {}
    if found.pareto:
        points = [(share.of_buyers, share.of_purchases) for share in found.pareto]
        pictures["pareto"] = pareto_picture(points, f"Who brings how much of all {found.pareto_of}")
    if found.ways:
        order = [line.segment for line in found.lines]
        pictures["moves"] = moves_picture(
            found.ways, order, f"Moves between segments since {found.begin:%Y-%m-%d}"
        )
    return pictures


def svg(spec: Mapping[str, object], title: str) -> str:
    """A Vega-Lite specification, drawn with the title above it."""
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": title, "anchor": "start", "fontSize": 16},
        "config": {
            "font": "Helvetica, Arial, sans-serif",
            "background": "white",
            "view": {"stroke": None},
        },
        **spec,
    }
    return str(vl_convert.vegalite_to_svg(json.dumps(whole)))


def _weeks(found: Sequence[date]) -> list[date]:
    """Every Monday from the first to the last."""
    if not found:
        return []
    first, last = min(found), max(found)
    return [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
