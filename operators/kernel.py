"""Compiled kernels and the state they work on.

A kernel is called once per frame, and in a quiet market a frame holds one event, so what a call costs
decides the latency of the whole system. Two costs are avoided here. Unboxing a structured array takes
numba about 0.35 µs: an operator's dozen state tables would cost more than the work. And an array that is
handed from kernel to kernel is counted in and out with atomic instructions, tens of nanoseconds each time.
`State` therefore keeps its tables' addresses in one block; a kernel gets the block's address as an
integer and opens a table with `table(ctx, i, dtype)`, which is free. `bare` does the same for an array.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from schemas.record import Frame


def _source_digest() -> str:
    """A digest of all source that kernels are made of.

    numba recompiles a kernel when its own file changes, but not when what it calls does, or a constant
    that it imports. So machine code is kept apart by the digest of everything it may depend on.
    """
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for package in ("schemas", "operators"):
        for path in sorted((root / package).rglob("*.py")):
            if path.parent.name != "sinks":  # where there are no kernels
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


if not numba.config.CACHE_DIR:
    numba.config.CACHE_DIR = str(Path(__file__).parent / "__pycache__" / f"kernels-{_source_digest()}")

kernel = njit(cache=True, error_model="numpy")
"""Compile on first call, keep the machine code on disk; IEEE arithmetic, no fast-math, no wall clock."""

inlined = njit(cache=True, error_model="numpy", forceinline=True)
"""The same, for the steps of a kernel's innermost loop: its machine code becomes part of the caller's."""


@intrinsic
def _pointer(typingctx, address):  # type: ignore[no-untyped-def]
    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), codegen


@njit(inline="always")
def table(ctx, i, dtype):  # type: ignore[no-untyped-def]
    """Inside a kernel: table number `i` of the state behind `ctx`, as a one-dimensional array of `dtype`."""
    block = carray(_pointer(ctx), (2 * i + 2,), np.int64)
    return carray(_pointer(block[2 * i]), (block[2 * i + 1],), dtype)


@njit(inline="always")
def first_rows(ctx, i, count, dtype):  # type: ignore[no-untyped-def]
    """Inside a kernel: the first `count` rows of table number `i` of the state behind `ctx`."""
    block = carray(_pointer(ctx), (2 * i + 2,), np.int64)
    return carray(_pointer(block[2 * i]), (count,), dtype)


@njit(inline="always")
def rows_at(address, count, dtype):  # type: ignore[no-untyped-def]
    """Inside a kernel: `count` rows of `dtype` that lie at `address`, uncounted; they must outlive their use."""
    return carray(_pointer(address), (count,), dtype)


@njit(inline="always")
def bare(array, dtype):  # type: ignore[no-untyped-def]
    """Inside a kernel: a contiguous one-dimensional `array` of `dtype`, uncounted, to hand to other kernels.

    The array must outlive its use, as every argument of the kernel does.
    """
    return carray(_pointer(array.ctypes.data), array.shape, dtype)


class State:
    """An operator's named one-dimensional arrays, in declaration order.

    `ctx` is what a kernel receives. Tables are C-contiguous and owned here; replace one (to grow it)
    only through `replace`. `snapshot` copies, `restore` takes a copy.
    """

    def __init__(self, **tables: Frame) -> None:
        self._tables: dict[str, Frame] = {}
        self._block = np.zeros(2 * len(tables), np.int64)
        self.ctx = int(self._block.ctypes.data)
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
        self._block[2 * i] = array.ctypes.data
        self._block[2 * i + 1] = len(array)

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
