"""Every operation that torch executes in a forward pass, one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch._ops import HigherOrderOperator
from torch.utils._python_dispatch import TorchDispatchMode


class Operations(TorchDispatchMode):
    """Sees all operations within its context, each after it has run."""

    # Conditionals and the like count as one operation, which is not looked into; without this torch refuses them.
    supports_higher_order_operators = True

    @abstractmethod
    def saw(
        self,
        operation: Any,  # noqa: ANN401 - torch does not export its type
        arguments: tuple[Any, ...],
        named: Mapping[str, Any],
        result: Any,  # noqa: ANN401 - whatever it returns
    ) -> None:
        """Take note of an operation, its arguments by position and by name, and what it has returned."""

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - the same
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation returns
        named = dict(kwargs or {})
        # Under `torch.inference_mode` an operation that consists of others arrives whole: its parts are what is looked at.
        if not isinstance(func, HigherOrderOperator) and _consists_of_others(func):
            with self:
                return func._op_dk(_PARTS, *args, **named)  # noqa: SLF001 - `decompose` prefers rewritten parts, which differ
        result = func(*args, **named)
        self.saw(func, args, named, result)
        return result


_PARTS: Any = torch._C.DispatchKey.CompositeImplicitAutograd  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def _consists_of_others(operation: Any) -> bool:  # noqa: ANN401 - the same
    return torch._C._dispatch_has_kernel_for_dispatch_key(operation.name(), _PARTS)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
