"""Parts of a network that are still to be chosen: `Choice`, `Repeat`, `Value`, `Cell`.

Use them inside of a function that builds your network, as if they were the module or number that they stand for::

    def model():
        width = Value([16, 32, 64], name="width")
        return nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            Choice({"relu": nn.ReLU, "gelu": nn.GELU}, name="activation"),
            Repeat(lambda i: Block(width), [1, 2, 3], name="depth"),
        )

    space = Space.from_model(model)

Each returns at once what has been chosen, so `space.build` gives the network that the function would have built by hand:
no wrappers, and nothing of what was not chosen. A name stands for one decision, wherever it is used. Outside of a space
the first choice is taken.
"""

from optiproxy.nn.parts import Cell as Cell
from optiproxy.nn.parts import Choice as Choice
from optiproxy.nn.parts import Repeat as Repeat
from optiproxy.nn.parts import Value as Value
from optiproxy.spaces.building.model import ModelSpace as ModelSpace

__all__ = ["Cell", "Choice", "ModelSpace", "Repeat", "Value"]
