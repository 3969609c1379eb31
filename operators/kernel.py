"""Compiled kernels and the state they work on.

A kernel is called once per frame, and in a quiet market a frame holds one event, so what a call costs
decides the latency of the whole system. Unboxing a structured array costs numba about 0.35 µs; an
operator's dozen state tables would cost more than the work. `State` therefore keeps the tables' addresses
in one int64 array, and a kernel opens them with `table(ctx, i, dtype)`, which is free.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from schemas.record import Frame

kernel = njit(cache=True, error_model="numpy")
"""Compile on first call, keep the machine code on disk; IEEE arithmetic, no fast-math, no wall clock."""


@intrinsic
def _pointer(typingctx, address):  # type: ignore[no-untyped-def]
    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), codegen


@njit(inline="always")
def table(ctx, i, dtype):  # type: ignore[no-untyped-def]
    """Inside a kernel: table number `i` of the state behind `ctx`, as a one-dimensional array of `dtype`."""
    return carray(_pointer(ctx[2 * i]), (ctx[2 * i + 1],), dtype)


class State:
    """An operator's named one-dimensional arrays, in declaration order.

    `ctx` is what a kernel receives. Tables are C-contiguous and owned here; replace one (to grow it)
    only through `replace`. `snapshot` copies, `restore` takes a copy.
    """

    def __init__(self, **tables: Frame) -> None:
        self._tables: dict[str, Frame] = {}
        self.ctx = np.zeros(2 * len(tables), np.int64)
        self._numbers = {name: i for i, name in enumerate(tables)}
        for name, array in tables.items():
            self.replace(name, array)

    def __getitem__(self, name: str) -> Frame:
        return self._tables[name]

    def replace(self, name: str, array: Frame) -> None:
        """Put `array` in the place of table `name`."""
        array = np.ascontiguousarray(array)
        if array.ndim != 1:
            raise ValueError(f"state table {name!r} has {array.ndim} dimensions, not 1")
        i = self._numbers[name]
        self._tables[name] = array
        self.ctx[2 * i] = array.ctypes.data
        self.ctx[2 * i + 1] = len(array)

    def grow(self, name: str, size: int) -> None:
        """Lengthen table `name` to `size` rows of zeros behind the present ones."""
        old = self._tables[name]
        new = np.zeros(size, old.dtype)
        new[: len(old)] = old
        self.replace(name, new)

    def snapshot(self) -> dict[str, Frame]:
        """A copy of every table."""
        return {name: array.copy() for name, array in self._tables.items()}

    def restore(self, tables: Mapping[str, Any]) -> None:
        """Take a copy of every table of a snapshot."""
        if tables.keys() != self._tables.keys():
            raise ValueError(f"state tables {sorted(tables)} are not {sorted(self._tables)}")
        for name, array in tables.items():
            self.replace(name, array.copy())
