"""What a fitted BG/NBD expects of each customer: whether they are still active, and how often they
will buy.

The expected number of purchases of a customer who is active at T is, in the paper, a Gaussian
hypergeometric function with parameters that grow with x, divided by a - 1: it overflows for
frequent buyers, and is 0/0 at a = 1. Its integral does neither. Given that the customer is active,
p is distributed as Beta(a, b + x) and the rate as Gamma(r + x, alpha + T), and over t weeks a
customer makes (1 - exp(-rate p t)) / p purchases on average. With the rate averaged out this is

    E = integral over p of Beta(p; a, b + x) * (1 - (1 + p t / (alpha + T)) ^ -(r + x)) / p

a mean of positive, bounded values. It is taken over the logit of p, where both factors are smooth
on a scale of their own that is known: see `_edges`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from alerting.discover.bgnbd import Histories, Numbers, Parameters, log_odds_stopped

_OMITTED = 70.0
"""The logarithm of what an integral may leave out: e^-70 is 4e-31."""

_PANELS, _ORDER = 24, 16
"""Gauss-Legendre panels between the edges. Each is at most 6 wide on the logit's scale, whose
singularities lie pi away.
"""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """By customer, of shape (n,): the chance of being active at T, and the purchases expected in
    the weeks after it.
    """

    p_alive: Numbers
    expected_purchases: Numbers


def forecast(p: Parameters, h: Histories, weeks: float) -> Forecast:
    """What is expected of each customer in the `weeks` after T. Every value is finite."""
    alive = p_alive(p, h)
    rows, back = np.unique(np.stack([h.x, h.T], axis=1), axis=0, return_inverse=True)
    active = expected_while_active(p, rows[:, 0], rows[:, 1], weeks)
    return Forecast(p_alive=alive, expected_purchases=alive * active[back.reshape(-1)])


def p_alive(p: Parameters, h: Histories) -> Numbers:
    """The chance that a customer is active at T; 1 without a repeat purchase, for the model lets
    nobody stop before.
    """
    return np.where(h.x > 0, expit(-log_odds_stopped(p, h)[0]), 1.0)


def expected_while_active(p: Parameters, x: Numbers, T: Numbers, weeks: float) -> Numbers:
    """The purchases expected in the `weeks` after T of customers known to be active at T; of the
    shape of x and T.
    """
    shape, stay, z = p.r + x, p.b + x, weeks / (p.alpha + T)
    mode = np.log(p.a) - np.log(stay)
    top = _log_weight(mode, p.a, stay)
    low, high = _edges(mode, top, p.a, stay, shape * z)
    nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
    step = (high - low) / _PANELS
    total, mass = np.zeros_like(z), np.zeros_like(z)
    for panel in range(_PANELS):
        for node, weight in zip(nodes, weights, strict=True):
            at = low + step * (panel + (node + 1) / 2)
            density = weight * step / 2 * np.exp(_log_weight(at, p.a, stay) - top)
            mass += density
            total += density * _purchases(at, shape, z)
    for edge, power in ((low, p.a), (high, stay)):
        # what lies beyond an edge: there the density is a pure power of p, or of 1 - p, and the
        # purchases are constant
        beyond = np.exp(_log_weight(edge, p.a, stay) - top) / power
        mass += beyond
        total += beyond * _purchases(edge, shape, z)
    return np.asarray(total / mass)


def _log_weight(at: Numbers, a: float, stay: Numbers) -> Numbers:
    """The logarithm of p^a (1 - p)^stay where `at` is the logit of p: Beta's density over the
    logit, but for a factor.
    """
    return np.asarray(-a * np.logaddexp(0.0, -at) - stay * np.logaddexp(0.0, at))


def _purchases(at: Numbers, shape: Numbers, z: Numbers) -> Numbers:
    """(1 - (1 + p z)^-shape) / p where `at` is the logit of p; shape * z in the limit of no p at
    all.
    """
    p = expit(at)
    return np.asarray(-np.expm1(-shape * np.log1p(p * z)) / p)


def _edges(
    mode: Numbers, top: Numbers, a: float, stay: Numbers, most: Numbers
) -> tuple[Numbers, Numbers]:
    """Logits between which the integral lies. Where a tail is long because a or b + x is small,
    only as far as the purchases still change: p below 1 / most, or 1 - p below everything, by the
    precision of a float.
    """
    precise = 42.0
    low = _descend(mode, top, a, stay, -1.0)
    high = _descend(mode, top, a, stay, 1.0)
    return np.maximum(low, np.minimum(-np.log1p(most) - precise, mode)), np.minimum(
        high, np.maximum(precise, mode)
    )


def _descend(mode: Numbers, top: Numbers, a: float, stay: Numbers, side: float) -> Numbers:
    """Where, on one side of the mode, the weight has fallen by e^-70: doubled out, then halved
    in.
    """
    near, far = np.zeros_like(mode), np.ones_like(mode)
    for _ in range(60):
        far = np.where(top - _log_weight(mode + side * far, a, stay) < _OMITTED, far * 2, far)
    for _ in range(40):
        middle = (near + far) / 2
        fallen = top - _log_weight(mode + side * middle, a, stay) >= _OMITTED
        near, far = np.where(fallen, near, middle), np.where(fallen, middle, far)
    return mode + side * far
