"""River's choice of features, in an order that is the same in every process.

`river.compose.Select` goes over a set of names, and the order of a set of texts is another in every process. What is
summed in another order is not the same to the last bit.
"""

from collections.abc import Mapping
from typing import Any

from river import compose


class Select(compose.Select):
    """The same features, by name."""

    def __init__(self, *keys: str) -> None:
        super().__init__(*keys)
        self.order = tuple(sorted(keys))

    def transform_one(self, x: Mapping[Any, Any]) -> dict[Any, Any]:
        """Those of `x` that were chosen. Raises KeyError where one is not there."""
        return {name: x[name] for name in self.order}
