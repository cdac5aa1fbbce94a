"""Groups of customers who are alike: k-means, with as many groups as the silhouette speaks for.

P. J. Rousseeuw (1987): Silhouettes. Journal of Computational and Applied Mathematics 20, 53-65.
Attributes are standardised, so that each counts as much as the others whatever it is measured in.
The same customers give the same groups: every choice by chance has a fixed seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from alerting.domain.errors import NoEstimate

Numbers = NDArray[np.float64]
Labels = NDArray[np.intp]

FEWEST, MOST = 2, 8
"""Groups that are tried: more than eight segments nobody tells apart."""

SAMPLED = 5_000
"""Customers by which a silhouette is judged, for its cost grows with their square; and at least so
many of each group:
"""
_OF_EACH = 20

_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """Which group each customer is in, from 0: the group with the highest median of the first
    attribute.

    `centres`, of shape (groups, attributes), are in the attributes' own units, or their logarithms:
    see `Scales`. `silhouettes` are by number of groups, -1 to 1; `sampled` says by how many
    customers they were judged.
    """

    labels: Labels
    centres: Numbers
    scales: "FactScales"
    silhouettes: Mapping[int, float]
    sampled: int

    @property
    def count(self) -> int:
        return len(self.centres)


@dataclass(frozen=True, kw_only=True)
class FactScales:
    """How attributes are made comparable: ln(1 + value) where `logged`, then in standard
    deviations. Shapes (attributes,).
    """

    logged: NDArray[np.bool_]
    deviation: Numbers

    def bent(self, values: Numbers) -> Numbers:
        return np.asarray(
            np.where(self.logged, np.log1p(np.where(self.logged, values, 0.0)), values)
        )

    def straightened(self, values: Numbers) -> Numbers:
        """What `bent` was made of."""
        return np.asarray(
            np.where(self.logged, np.expm1(np.where(self.logged, values, 0.0)), values)
        )


def find_groups(
    values: Numbers, names: Sequence[str], logged: Sequence[str] = (), groups: int | None = None
) -> Grouping:
    """Group customers by `values` of shape (customers, attributes), none of them missing.

    Without `groups` as many as have the best silhouette. Raises NoEstimate for fewer different
    customers than that, an attribute that is the same for all, and a logarithm of what is negative.
    """
    scales = _scales(values, names, logged)
    offset = (scales.bent(values) / scales.deviation).mean(axis=0)
    points = scales.bent(values) / scales.deviation - offset
    different = len(np.unique(points, axis=0))
    counts = [groups] if groups else list(range(FEWEST, min(MOST, different, len(points) - 1) + 1))
    if not counts or max(counts) > min(different, len(points) - 1):
        raise NoEstimate(
            f"{len(points)} customers, {different} of them different, are too few for "
            f"{max(counts, default=2)} groups"
        )
    tried = {count: _k_means(points, count) for count in counts}
    silhouettes = {count: _silhouette(points, labels) for count, (labels, _) in tried.items()}
    best = max(counts, key=lambda count: silhouettes[count])
    labels, centres = tried[best]
    order = _from_the_top(labels, values, best)
    return Grouping(
        labels=np.argsort(order)[labels],
        centres=((centres + offset) * scales.deviation)[order],
        scales=scales,
        silhouettes=silhouettes,
        sampled=len(_sample(labels)),
    )


def _scales(values: Numbers, names: Sequence[str], logged: Sequence[str]) -> FactScales:
    is_logged = np.array([name in logged for name in names])
    for at, name in enumerate(names):
        if is_logged[at] and values[:, at].min() < 0:
            raise NoEstimate(
                f"{name} is negative for some customers: it has no logarithm; leave it out of --log"
            )
        if np.ptp(values[:, at]) == 0:
            raise NoEstimate(f"{name} is the same for all customers; leave it out")
    deviation = FactScales(logged=is_logged, deviation=np.ones(len(names))).bent(values).std(axis=0)
    return FactScales(logged=is_logged, deviation=deviation)


def _k_means(points: Numbers, count: int) -> tuple[Labels, Numbers]:
    """The nearest centre of each point, and the centres."""
    done = KMeans(n_clusters=count, n_init=10, random_state=_SEED, max_iter=1_000).fit(points)
    return np.asarray(done.labels_, dtype=np.intp), done.cluster_centers_


def _silhouette(points: Numbers, labels: Labels) -> float:
    some = _sample(labels)
    return float(silhouette_score(points[some], labels[some]))


def _sample(labels: Labels) -> Labels:
    """All customers where they are few; else some by chance, and some of each group, for a small
    one has a say, too.
    """
    if len(labels) <= SAMPLED:
        return np.arange(len(labels))
    some = np.random.default_rng(_SEED).choice(len(labels), SAMPLED, replace=False)
    of_each = [np.flatnonzero(labels == group)[:_OF_EACH] for group in range(labels.max() + 1)]
    return np.unique(np.concatenate([some, *of_each]))


def _from_the_top(labels: Labels, values: Numbers, count: int) -> Labels:
    """The groups by their medians, those of the first attribute first."""
    medians = [tuple(np.median(values[labels == group], axis=0)) for group in range(count)]
    return np.array(
        sorted(range(count), key=lambda group: medians[group], reverse=True), dtype=np.intp
    )
