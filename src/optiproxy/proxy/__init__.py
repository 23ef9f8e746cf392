"""The optimization proxy: predicts metrics from graphs, differentiably. It knows graphs, not spaces.

Read `contract` first, then `structural` with its parts `encoder` and `regression`; `convolution` is the
published proxy.
"""

from optiproxy.proxy.contract import Conditional as Conditional
from optiproxy.proxy.contract import Encoder as Encoder
from optiproxy.proxy.contract import Prediction as Prediction
from optiproxy.proxy.contract import Predictor as Predictor
from optiproxy.proxy.contract import Proxy as Proxy
from optiproxy.proxy.convolution import GraphConvolution as GraphConvolution
from optiproxy.proxy.structural import StructuralProxy as StructuralProxy
from optiproxy.proxy.targets import Targets as Targets
