"""Groups as conditions of rules/segments.yaml, where the first that matches wins.

A customer belongs to the group whose centre is nearest. That one centre is nearer than another is a
linear inequality of the attributes, for the squares cancel: so conditions say exactly what k-means
says, as long as no logarithm was taken of one of several attributes. A group need only be compared
with those that stand below it: whoever is in none above is nearer to one of the rest than to all of
those.
"""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from alerting.discover.groups import Grouping, Labels, Numbers

Conditions = list[str | None]
"""By group; None for `otherwise`, and "" for a group that no condition leads to."""

Bounds = dict[int, tuple[Decimal | None, Decimal | None]]
"""By attribute: from, and up to but without; None is open."""


def nearest_centre(names: Sequence[str], grouping: Grouping, digits: int) -> Conditions:
    """One condition per group but the last, with numbers of so many significant digits. `names` are
    as SQL says them.
    """
    below = [range(group + 1, grouping.count) for group in range(grouping.count)]
    if len(names) == 1:
        # from the top down along one line: only the next one matters
        return [
            f"{names[0]} >= {_middle(grouping, group, digits)}"
            for group in range(grouping.count - 1)
        ] + [None]
    return [
        " AND ".join(_nearer(names, grouping, group, j, digits) for j in others) or None
        for group, others in enumerate(below)
    ]


def _middle(grouping: Grouping, group: int, digits: int) -> str:
    middle = (grouping.centres[group] + grouping.centres[group + 1]) / 2
    return written(float(grouping.scales.straightened(middle)[0]), digits)


def _nearer(names: Sequence[str], grouping: Grouping, i: int, j: int, digits: int) -> str:
    """That centre i is at least as near as centre j, divided by the factor of what tells them apart
    best.
    """
    u, v, deviation = grouping.centres[i], grouping.centres[j], grouping.scales.deviation
    factors = (u - v) / deviation**2
    limit = float((factors * (u + v)).sum() / 2)
    order = np.argsort(-np.abs(factors * deviation), kind="stable")
    first = factors[order[0]]
    terms = [names[order[0]]]
    for at in order[1:]:
        share = float(factors[at] / first)
        if share:
            terms.append(f"{'-' if share < 0 else '+'} {written(abs(share), digits)} * {names[at]}")
    return (
        f"{' '.join(terms)} {'>=' if first > 0 else '<='} {written(limit / float(first), digits)}"
    )


def shallow_tree(names: Sequence[str], values: Numbers, labels: Labels, depth: int) -> Conditions:
    """Conditions that compare one attribute with one number each: a decision tree, so only nearly
    what k-means says.
    """
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(values, labels).tree_
    answers = [_answer(tree, node) for node in range(tree.node_count)]
    found: dict[int, list[Bounds]] = {}
    waiting: list[tuple[int, Bounds]] = [(0, {})]
    while waiting:
        node, bounds = waiting.pop()
        answer = answers[node]
        if answer is not None:
            found.setdefault(answer, []).append(bounds)
            continue
        at = int(tree.feature[node])
        cut = _round_cut(values[:, at], float(tree.threshold[node]))
        low, high = bounds.get(at, (None, None))
        waiting.append((int(tree.children_right[node]), {**bounds, at: (cut, high)}))
        waiting.append((int(tree.children_left[node]), {**bounds, at: (low, cut)}))
    groups = range(int(labels.max()) + 1)
    last = max(found)
    return [None if group == last else _any_of(names, found.get(group, [])) for group in groups]


def _answer(tree: object, node: int) -> int | None:
    """The group of all leaves below a node; None where there are several."""
    left, right = tree.children_left[node], tree.children_right[node]  # type: ignore[attr-defined]
    if left < 0:
        return int(np.argmax(tree.value[node]))  # type: ignore[attr-defined]
    one, other = _answer(tree, left), _answer(tree, right)
    return one if one == other else None


def _any_of(names: Sequence[str], regions: Sequence[Bounds]) -> str:
    whole = [_inside(names, bounds) for bounds in regions]
    return " OR ".join(f"({one})" if " AND " in one and len(whole) > 1 else one for one in whole)


def _inside(names: Sequence[str], bounds: Bounds) -> str:
    parts = []
    for at, (low, high) in sorted(bounds.items()):
        parts += [f"{names[at]} >= {low:f}"] if low is not None else []
        parts += [f"{names[at]} < {high:f}"] if high is not None else []
    return " AND ".join(parts)


def _round_cut(values: Numbers, threshold: float) -> Decimal:
    """The roundest number that parts the values as the threshold does."""
    low, high = (
        values[values <= threshold].max(initial=-np.inf),
        values[values > threshold].min(initial=np.inf),
    )
    for digits in range(1, 17):
        cut = Decimal(written(threshold, digits))
        if low < float(cut) <= high:
            return cut
    return Decimal(repr(threshold))


def written(value: float, digits: int) -> str:
    """A number with so many significant digits, without an exponent."""
    rounded = Decimal(f"{value:.{digits - 1}e}")
    return (
        str(int(rounded)) if rounded == rounded.to_integral_value() else f"{rounded.normalize():f}"
    )
