"""Pictures as SVG, drawn by Vega-Lite: no script ends up in a page or a mail."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import vl_convert

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
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {"text": title, "anchor": "start", "fontSize": 16},
        "width": max(320, 34 * len(weeks)),
        "height": 220,
        "data": {"values": values},
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            "x": {"field": "week", "type": "ordinal", "title": "week of", "axis": {"labelAngle": -45}},
            "xOffset": {"field": "series", "sort": names},
            "y": {"field": "alerts", "type": "quantitative", "title": "alerts", "axis": {"tickMinStep": 1}},
            "color": {
                "field": "series",
                "scale": {"domain": names, "range": _COLOURS[-len(names) :]},
                "legend": {"title": None, "orient": "top"} if len(names) > 1 else None,
            },
        },
        "config": {"font": "Helvetica, Arial, sans-serif", "background": "white", "view": {"stroke": None}},
    }
    return str(vl_convert.vegalite_to_svg(json.dumps(spec)))


def _weeks(found: Sequence[date]) -> list[date]:
    """Every Monday from the first to the last."""
    if not found:
        return []
    first, last = min(found), max(found)
    return [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
