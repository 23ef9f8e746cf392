"""A space out of a function that builds a network: what it may choose is the space, what it builds the network."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from optiproxy.errors import UsageError
from optiproxy.spaces.building.conditional import ConditionalSpace
from optiproxy.spaces.building.exploring import explore
from optiproxy.spaces.building.tracing import Chosen, Trace, Tracer, answering
from optiproxy.spaces.decisions import Architecture

if TYPE_CHECKING:
    from torch.nn import Module

    from optiproxy.spaces.building.dry_run import Inputs


class ModelSpace(ConditionalSpace):
    """Every network that a function can build out of the parts of `optiproxy.nn`.

    The function is run a few times at once, on torch's ``meta`` device, where tensors have shapes and no content: once
    with every option of every `Choice`, and once more for each further number of each `Value`. No combinations are gone
    through, so the size of the space does not matter.

    Args:
        model: Returns a network; the same choices give the same network up to its initial weights. It is called again for
            each network, so modules have to be made inside of it.
        name: Part of the study's identity.
        example: One input of every network, ``(1, ...)``, several as a tuple. Lazy modules are materialized with it when a
            network is built, so that their initial weights depend on the seed alone; without it they wait for the first
            batch.

    Raises:
        UsageError: If the function fails with the first option of every decision, offers no choice, or returns something
            else than a new `torch.nn.Module`.
    """

    def __init__(self, model: Callable[[], Module], *, name: str = "model", example: Inputs | None = None) -> None:
        import torch

        self.example = example
        self.model = model
        # The modules of the first run. One that turns up in a later run was not made by the function.
        self._outside: list[Module] = []
        with torch.random.fork_rng(devices=[]):
            # Initial weights draw random numbers, which must not be missed in the user's own stream.
            places = explore(self._trace)
        del self._outside
        if not places:
            raise UsageError(
                "The model function offers no choice. Use Choice, Repeat, Value or Cell of optiproxy.nn inside of it."
            )
        super().__init__(places, name=name)

    def build(self, architecture: Architecture | Mapping[str, object], *, seed: int = 0) -> Module:
        """Build the network of the chosen parts alone, with initial weights that depend on nothing but the seed.

        Raises:
            UsageError: If this is no architecture of the space, or its parts do not fit together; names it.
        """
        import torch

        from optiproxy.spaces.building.dry_run import materialize

        architecture = self.architecture(architecture)
        positions = {d.name: choice for d, choice in zip(self.decisions, architecture, strict=True)}
        with torch.random.fork_rng(devices=[]), answering(Chosen(positions)):
            # Of the CPU alone: `torch.manual_seed` would seed the devices as well, whose streams the fork leaves out.
            torch.default_generator.manual_seed(seed)
            try:
                network = self.model()
                if self.example is not None:
                    materialize(network, self.example)
            except Exception as error:
                shown = ", ".join(f"{name}={value}" for name, value in super().build(architecture).items())
                raise UsageError(f"Cannot build {shown} ({type(error).__name__}: {error}).") from error
        return network

    def _trace(self, positions: Mapping[str, int]) -> Trace:
        import torch

        with torch.device("meta"):
            trace = self._traced(positions)
        # Some initializations compute with what they have made, which tensors without content do not allow.
        return trace if trace.error is None else self._traced(positions)

    def _traced(self, positions: Mapping[str, int]) -> Trace:
        tracer = Tracer(positions)
        with answering(tracer), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about shapes of networks that nobody is going to use
            try:
                self._check_is_new(self.model())
            except UsageError:
                raise
            except Exception as error:  # noqa: BLE001 - the user's code
                tracer.trace.error = error
        return tracer.trace

    def _check_is_new(self, made: object) -> None:
        from torch.nn import Module

        if not isinstance(made, Module):
            raise UsageError(f"Expected the model function to return a torch.nn.Module, got {type(made).__name__}.")
        modules = list(made.modules())
        shared = next((module for module in modules if any(module is known for known in self._outside)), None)
        # Shared weights would go on training from query to query, and every metric would depend on the order.
        if shared is not None:
            raise UsageError(
                f"A {type(shared).__name__} is made outside of the model function, so that all networks would train the "
                "same weights. Make it inside."
            )
        self._outside = self._outside or modules
