"""A profile in words and numbers: on the terminal, and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from optiproxy.metrics import Metric
from optiproxy.profiling.profile import Profile, Share
from optiproxy.reporting.words import count, number, space_in_words

_BINS = 8
"""Bins of a histogram."""

_WIDTH = 30
"""Length of the longest bar of a histogram, in characters."""


def profile_in_words(profile: Profile) -> str:
    """The whole profile as lines of text; what speaks against the search comes last."""
    subject = ", ".join(filter(None, (profile.task, profile.space)))
    size = space_in_words(profile.size, decisions=len(profile.choices), continuous=profile.continuous)
    lines = [
        f"{subject}: {size}.",
        f"Valid: {_share(profile.valid, 'combinations drawn')}.",
    ]
    if profile.limits and profile.feasible is not None:
        lines.append(f"Within the limits: {_share(profile.feasible, 'valid architectures measured')}.")
        if len(profile.limits) > 1:
            lines += [f"  {limit}: {_share(share, 'alone')}" for limit, share in profile.kept.items()]
    if profile.architectures is not None:
        lines.append(f"About {count(profile.architectures)} architectures to search.")
    if profile.queried:
        lines.append(f"Known only after a query: {', '.join(map(str, profile.queried))}.")
    for metric in profile.measures:
        lines += ["", *_metric(metric, profile.values(metric.name))]
    lines += ["", *_time(profile)]
    # Where there is no time to tell, two empty lines would follow upon each other.
    return "\n".join([*lines, *(f"Caution: {told}" for told in profile.cautions)]).replace("\n\n\n", "\n\n")


def profile_as_json(profile: Profile) -> dict[str, Any]:
    """The whole profile for programs."""
    return {
        "task": profile.task,
        "space": profile.space,
        "size": profile.size,
        "decisions": len(profile.choices),
        "continuous": profile.continuous,
        "architectures": profile.architectures,
        "valid": _share_as_json(profile.valid),
        "feasible": _share_as_json(profile.feasible),
        "limits": {limit: _share_as_json(share) for limit, share in profile.kept.items()},
        "queried_limits": [*map(str, profile.queried)],
        "metrics": {metric.name: _distribution(metric, profile.values(metric.name)) for metric in profile.measures},
        "measured": len(profile.measured),
        "not_measured": sum(found is None for found in profile.measured),
        "problem": profile.problem,
        "seconds_per_measurement": profile.seconds_per_measurement,
        "budget": profile.budget,
        "training_seconds": profile.training_seconds,
        "total_seconds": profile.total_seconds,
        "cautions": [*profile.cautions],
    }


def duration(seconds: float) -> str:
    """A time in the unit that a person would choose."""
    # A unit serves from two of it on: 90 minutes read better than 1.5 hours.
    for unit, length in (("days", 172_800), ("hours", 7_200), ("minutes", 120)):
        if seconds >= length:
            return f"{seconds / {'days': 86_400, 'hours': 3_600, 'minutes': 60}[unit]:.1f} {unit}"
    return f"{seconds:.2g} seconds"


def _share(share: Share, of: str) -> str:
    # Where all combinations were gone through, there is nothing to estimate.
    if share.exact:
        return f"{share.hits:,} of {share.of:,} {of}, which is all"
    low, high = share.interval
    return f"{share.value:.1%} of {share.of:,} {of} ({low:.1%} to {high:.1%} with 95 % confidence)"


def _share_as_json(share: Share | None) -> dict[str, Any] | None:
    if share is None:
        return None
    low, high = share.interval
    return {"share": share.value, "low": low, "high": high, "hits": share.hits, "of": share.of, "exact": share.exact}


def _metric(metric: Metric, values: Sequence[float]) -> list[str]:
    unit = f" {metric.unit}" if metric.unit else ""
    if not values:
        return [f"{metric.name}: could not be measured."]
    told = [f"{metric.name}: {number(values[0])} to {number(values[-1])}{unit}, median {number(median(values))}{unit}"]
    bins = histogram(values)
    most = max(hits for _, _, hits in bins)
    rows = [(f"{number(low)} – {number(high)}", hits) for low, high, hits in bins]
    width = max(len(label) for label, _ in rows)
    # Rounded up: a bin that holds anything has a bar.
    return told + [f"  {label:>{width}}  {'█' * -(-hits * _WIDTH // most)} {hits}" for label, hits in rows]


def _distribution(metric: Metric, values: Sequence[float]) -> dict[str, Any] | None:
    if not values:
        return None
    return {
        "unit": metric.unit,
        "min": values[0],
        "median": median(values),
        "max": values[-1],
        "histogram": [{"from": low, "to": high, "count": hits} for low, high, hits in histogram(values)],
    }


def histogram(values: Sequence[float]) -> list[tuple[float, float, int]]:
    """Bounds and number of values of equally wide bins; each value is in one, the largest in the last."""
    low, high = min(values), max(values)
    # A metric in which all architectures are equal fills one bin without width.
    if low == high:
        return [(low, high, len(values))]
    step = (high - low) / _BINS
    hits = [0] * _BINS
    for value in values:
        # The largest value is the upper end of the last bin, not the start of another.
        hits[min(_BINS - 1, int((value - low) / step))] += 1
    return [(low + i * step, low + (i + 1) * step, found) for i, found in enumerate(hits)]


def _time(profile: Profile) -> list[str]:
    told: list[str] = []
    if profile.seconds_per_measurement is not None:
        told.append(f"Measuring one architecture takes {duration(profile.seconds_per_measurement)}.")
    if profile.training_seconds is not None:
        told.append(f"One query takes {duration(profile.training_seconds)}.")
    if profile.total_seconds is not None:
        promoted = f" and {profile.protocol.promote} promotions" if profile.protocol.promote else ""
        told.append(f"{profile.budget} queries{promoted} take about {duration(profile.total_seconds)}, one at a time.")
    return told
