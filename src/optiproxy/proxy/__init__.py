"""The optimization proxy: predicts metrics from graphs, differentiably. Knows graphs, not spaces."""

from optiproxy.proxy.proxy import Proxy as Proxy
from optiproxy.proxy.proxy import ProxyConfig as ProxyConfig
from optiproxy.proxy.proxy import StructuralProxy as StructuralProxy
from optiproxy.proxy.regression import Prediction as Prediction
from optiproxy.proxy.targets import Targets as Targets
