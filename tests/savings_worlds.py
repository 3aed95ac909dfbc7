"""A tenant with a known truth: daily bills of three models, simulated, and what an intervention really avoided.

Requests grow and have a week; tokens per request are an AR(1) process; the models' shares wander a little. The
true saving is known because both worlds, with and without the intervention, are computed from the same draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.signal import lfilter

FIRST = date(2025, 1, 6)
#: Per token of the large, the middle and the small model.
PRICES = np.array([10e-6, 3e-6, 0.5e-6])
SHARES = np.array([0.5, 0.3, 0.2])
WEEK = np.array([1.1, 1.12, 1.1, 1.05, 1.0, 0.7, 0.65])
REQUESTS, TOKENS = 8_000.0, 1_500.0


@dataclass(frozen=True)
class World:
    """What happens to the tenant; rates are per year, levels as shares; the intervention begins with reporting."""

    growth: float = 0.6
    #: Autocorrelation and standard deviation of log tokens per request.
    rho: float = 0.5
    noise: float = 0.05
    random_walk: bool = False
    #: A second, slow part of the noise: autocorrelation .97.
    slow: float = 0.0
    #: Student t with three degrees of freedom instead of normal innovations.
    heavy_tails: bool = False
    #: A part of the cost that does not move with requests, as a share of the first day's.
    fixed: float = 0.0
    #: Logit per year by which requests move to the small model of their own accord.
    organic: float = 0.0
    #: Yearly change of tokens per request that nobody declared.
    drift: float = 0.0
    #: The vendor's cut of the large model's price when reporting begins.
    price_cut: float = 0.0
    #: Requests multiply by this when reporting begins.
    jump: float = 1.0
    #: The intervention: share of the large model's requests routed to the small one, tokens cut, cost cut.
    routed: float = 0.0
    compressed: float = 0.0
    cached: float = 0.0


@dataclass(frozen=True)
class Draw:
    """Frames at constant prices and at the prices paid, and the true avoided cost of the reporting days."""

    baseline: pd.DataFrame
    reporting: pd.DataFrame
    paid_baseline: pd.DataFrame
    truth: float
    counterfactual: float

    @property
    def true_fraction(self) -> float:
        return self.truth / self.counterfactual


NULL = World()
ROUTING = World(routed=0.3)
COMPRESSION = World(compressed=0.23)
ORGANIC = World(organic=1.5)
PRICE_CUT = World(price_cut=0.3)
GROWTH = World(growth=1.5, fixed=0.3)
JUMP = World(routed=0.3, jump=1.8)
RANDOM_WALK = World(random_walk=True, noise=0.01)
CACHE = World(cached=0.092, rho=0.8, noise=0.07)
SMALL = World(cached=0.046)
MIDDLE = World(cached=0.09)
SLOW = World(slow=0.03)
HEAVY = World(heavy_tails=True)
DRIFT = World(drift=-0.10)


def draw(world: World, seed: int, n: int = 180, m: int = 60) -> Draw:
    """One history of n baseline and m reporting days."""
    random = np.random.default_rng(seed)
    days = n + m
    t = np.arange(days)
    after = t >= n
    requests = REQUESTS * np.exp(np.log1p(world.growth) * t / 365) * WEEK[t % 7]
    requests = np.round(requests * np.exp(0.06 * random.standard_normal(days)) * np.where(after, world.jump, 1.0))
    tokens = TOKENS * np.exp(_noise(world, random, days) + np.log1p(world.drift) * t / 365)
    lean = world.organic * t / 365 + 0.02 * random.standard_normal(days)
    shares = SHARES[None, :] * np.exp(np.outer(lean, [-0.5, 0.0, 0.5]))
    shares /= shares.sum(axis=1, keepdims=True)
    fixed = world.fixed * REQUESTS * TOKENS * float(SHARES @ PRICES)
    now = np.where(np.arange(3) == 0, 1 - world.price_cut, 1.0) * PRICES

    moved = np.where(after, world.routed, 0.0) * shares[:, 0]
    served = shares + np.stack([-moved, np.zeros(days), moved], axis=1)
    used = tokens * np.where(after, 1 - world.compressed, 1.0)
    with_it = requests * used * (served @ now) * np.where(after, 1 - world.cached, 1.0) + fixed
    without = requests * tokens * (shares @ now) + fixed
    paid = requests * tokens * (shares @ PRICES) + fixed
    frame = pd.DataFrame(
        {
            "date": pd.date_range(FIRST, periods=days),
            "cost": with_it,
            "driver": requests,
            "price_per_token": (with_it - fixed) / (requests * used),
            "tokens_per_driver": used,
        }
    )
    at_old = frame.assign(cost=np.where(after, with_it, paid), price_per_token=(paid - fixed) / (requests * used))
    return Draw(
        frame[:n],
        frame[n:].reset_index(drop=True),
        at_old[:n],
        float((without - with_it)[n:].sum()),
        float(without[n:].sum()),
    )


def _noise(world: World, random: np.random.Generator, days: int) -> np.ndarray:
    scale = np.sqrt(1 / 3) if world.heavy_tails else 1.0
    shocks = scale * (random.standard_t(3, days + 100) if world.heavy_tails else random.standard_normal(days + 100))
    if world.random_walk:
        return world.noise * np.cumsum(shocks[100:])
    around = lfilter([np.sqrt(1 - world.rho**2)], [1, -world.rho], shocks)[100:]
    slow = lfilter([np.sqrt(1 - 0.97**2)], [1, -0.97], random.standard_normal(days + 400))[400:]
    return world.noise * around + world.slow * slow
