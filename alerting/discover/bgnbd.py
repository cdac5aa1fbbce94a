"""BG/NBD: how often each customer will buy, from when they bought so far.

P. S. Fader, B. G. S. Hardie, K. L. Lee (2005): "Counting Your Customers" the Easy Way: An
Alternative to the Pareto/NBD Model. Marketing Science 24 (2), 275-284. While active a customer buys
at a rate that differs between customers as Gamma(r, alpha); after each purchase the customer stops
for good with a chance that differs as Beta(a, b).

Time is in weeks throughout. The arithmetic differs from the paper's formulas, which overflow for
frequent buyers.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from alerting.discover.purchases import Buyer
from alerting.domain.errors import NoEstimate

Numbers = NDArray[np.float64]

CONVERGED = 1e-6
"""The largest slope of the mean log-likelihood by a parameter's logarithm that still counts as its
top.
"""

_SPAN, _FAR = np.log(1e6), np.log(1e3)
"""How far a parameter may go from its scale, up or down; and from where on the data hardly tell it
from any further one.
"""

_ATTEMPTS = 6
"""Climbs from one start: each goes on where the last one stopped on a ridge, without what it had
learnt of its bend.
"""

_STARTS = (
    (0.25, 0.1, 0.8, 2.5),
    (1.0, 1.0, 1.0, 1.0),
    (3.0, 3.0, 0.2, 5.0),
    (0.1, 0.02, 3.0, 8.0),
    (0.6, 0.3, 0.1, 0.3),
)
"""r, alpha as a share of the mean T, a, b: few and many buyers, who stop soon and late."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """r and alpha (in weeks) of the rates of buying, a and b of the chances to stop."""

    r: float
    alpha: float
    a: float
    b: float


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The parameters of the largest likelihood. `undetermined` are those that ran away: the
    likelihood hardly changes however large or small they become.
    """

    parameters: Parameters
    log_likelihood: float
    undetermined: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Histories:
    """Customers as columns, each of shape (n,): x repeat purchases, the last one at tx, observed
    for T weeks.
    """

    x: Numbers
    tx: Numbers
    T: Numbers

    @classmethod
    def of(cls, buyers: Sequence[Buyer]) -> "Histories":
        rows = np.array(
            [(b.frequency, b.recency, b.age) for b in buyers], dtype=np.float64
        ).reshape(-1, 3)
        return cls(x=rows[:, 0], tx=rows[:, 1], T=rows[:, 2])


def log_likelihood(p: Parameters, h: Histories) -> float:
    """The sum over customers of the logarithm of their likelihood."""
    return float(_value_and_slope(np.log(astuple(p)), h, np.ones_like(h.x))[0])


def fit(h: Histories) -> Fit:
    """Maximise the likelihood. Raises NoEstimate for nobody, for no repeat buyer, and where no
    start converges.
    """
    if not len(h.x):
        raise NoEstimate("no customer bought in the period")
    if not (h.x > 0).any():
        raise NoEstimate(
            "nobody bought a second time in the period: nothing can be said of repeat purchases"
        )
    rows, counts = np.unique(np.stack([h.x, h.tx, h.T], axis=1), axis=0, return_counts=True)
    distinct = Histories(x=rows[:, 0], tx=rows[:, 1], T=rows[:, 2])
    scale = np.log([1.0, h.T.mean(), 1.0, 1.0])
    tops = [
        _climb(np.log(start) + scale, scale, distinct, counts.astype(np.float64))
        for start in _STARTS
    ]
    found = [top for top in tops if top is not None]
    if not found:
        raise NoEstimate(
            "the likelihood's maximum was not found from any of five starting points; is the "
            "period too short?"
        )
    value, at = max(found, key=lambda top: top[0])
    far = np.abs(at - scale) > _FAR
    names = tuple(
        name for name, is_far in zip(("r", "alpha", "a", "b"), far, strict=True) if is_far
    )
    r, alpha, a, b = (float(one) for one in np.exp(at))
    return Fit(
        parameters=Parameters(r=r, alpha=alpha, a=a, b=b), log_likelihood=value, undetermined=names
    )


def _climb(
    start: Numbers, scale: Numbers, h: Histories, counts: Numbers
) -> tuple[float, Numbers] | None:
    """The top reached from one start and where it is; None where the slope says that it is no
    top.
    """
    customers = counts.sum()

    def downhill(at: Numbers) -> tuple[float, Numbers]:
        value, slope = _value_and_slope(at, h, counts)
        return -value / customers, -slope / customers

    bounds = [(one - _SPAN, one + _SPAN) for one in scale]
    options = {"maxiter": 2_000, "maxfun": 4_000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 20}
    low, high = np.array(bounds).T
    at = start
    for _ in range(_ATTEMPTS):
        at = minimize(downhill, at, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
        value, slope = downhill(at)
        free = ~(((at <= low) & (slope > 0)) | ((at >= high) & (slope < 0)))
        if np.isfinite(value) and np.abs(slope[free]).max(initial=0.0) <= CONVERGED:
            return float(-value * customers), at
    return None


def _value_and_slope(logs: Numbers, h: Histories, counts: Numbers) -> tuple[float, Numbers]:
    """The log-likelihood and its derivatives by the logarithms of r, alpha, a, b.

    Ratios of gamma functions that differ by whole numbers are products, so their logarithms are
    running sums over j < x: exact where the difference of two large lgamma would cancel. The
    paper's two cases of an ended and a going customer are joined by logaddexp(0, odds), which
    cannot overflow.
    """
    r, alpha, a, b = np.exp(logs)
    x, tx, T = h.x, h.tx, h.T
    at, again = x.astype(np.intp), x > 0
    j = np.arange(int(x.max(initial=0.0)), dtype=np.float64)
    odds, lost = log_odds_stopped(Parameters(r=r, alpha=alpha, a=a, b=b), h)
    each = (
        _sums(np.log(r + j) - np.log1p(a / (b + j)))[at]
        - r * np.log1p(T / alpha)
        - x * np.log(alpha + T)
    )
    each = each + np.where(again, np.logaddexp(0.0, odds), 0.0)
    stopped = np.where(again, expit(odds), 0.0)
    by_r = _sums(1 / (r + j))[at] - np.log1p(T / alpha) + stopped * lost
    by_alpha = (
        r * T / (alpha * (alpha + T))
        - x / (alpha + T)
        - stopped * (r + x) * (T - tx) / ((alpha + T) * (alpha + tx))
    )
    by_a = -_sums(1 / (a + b + j))[at] + stopped / a
    by_b = _sums(a / ((b + j) * (a + b + j)))[at] - stopped / np.where(again, b + x - 1, 1.0)
    slope = [counts @ by_r * r, counts @ by_alpha * alpha, counts @ by_a * a, counts @ by_b * b]
    return float(counts @ each), np.array(slope)


def log_odds_stopped(p: Parameters, h: Histories) -> tuple[Numbers, Numbers]:
    """How much likelier it is that a customer stopped after the last purchase than that they go on:
    the logarithm.

    Of shape (n,); it means nothing where x is 0, for nobody stops before a repeat purchase. With it
    comes the logarithm of (alpha + T) / (alpha + tx).
    """
    lost = np.log1p((h.T - h.tx) / (p.alpha + h.tx))
    return np.log(p.a) - np.log(np.where(h.x > 0, p.b + h.x - 1, 1.0)) + (p.r + h.x) * lost, lost


def _sums(terms: Numbers) -> Numbers:
    """Sums of the first 0, 1, 2, ... terms."""
    return np.concatenate([[0.0], np.cumsum(terms)])
