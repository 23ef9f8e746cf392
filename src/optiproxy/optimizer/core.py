"""The configuration of the version before, for one version more: `OptiProxy` takes its parts themselves now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from optiproxy.optimizer.acquisition import HypervolumeImprovement, UpperConfidenceBound
from optiproxy.optimizer.ascent import Ascent
from optiproxy.optimizer.optiproxy import OptiProxy as OptiProxy
from optiproxy.optimizer.selection import LocalSelection
from optiproxy.optimizer.starts import MaximinDesign, NearIncumbents
from optiproxy.proxy import StructuralProxy


@dataclass(frozen=True, kw_only=True)
class OptiProxyConfig:
    """What `OptiProxySampler` took as ``config``. Deprecated: pass ``algorithm=partial(OptiProxy, ...)`` instead.

    Attributes:
        proxy: Predicts metrics from relaxed architectures.
        ascent: Climbs the prediction.
        gain: What is climbed.
        selection: From relaxed to discrete.
        initial: Number of trials before the first ascent.
        starts: Number of parallel sets of architecture parameters.
        unlabelled: Number of random architectures that the proxy is pretrained on.
        candidates: Number of candidates for the first trials.
    """

    proxy: StructuralProxy = StructuralProxy()
    ascent: Ascent = Ascent()
    gain: UpperConfidenceBound = UpperConfidenceBound()
    selection: LocalSelection = LocalSelection()
    initial: int = 3
    starts: int = 16
    unlabelled: int = 1500
    candidates: int = 64

    def parts(self) -> dict[str, Any]:
        """The same as keyword arguments of `OptiProxy`."""
        return {
            "initial": MaximinDesign(size=self.initial, candidates=self.candidates),
            "proxy": replace(self.proxy, unlabelled=self.unlabelled),
            "starts": NearIncumbents(count=self.starts),
            "ascent": self.ascent,
            "acquisition": HypervolumeImprovement(self.gain),
            "selection": self.selection,
        }
