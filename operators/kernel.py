"""Compiled kernels and the state they work on.

A kernel is called once per frame, and in a quiet market a frame holds one event, so what a call costs
decides the latency of the whole system. Two costs are avoided here. Unboxing a structured array takes
numba about 0.35 µs: an operator's dozen state tables would cost more than the work. And an array that is
handed from kernel to kernel is counted in and out with atomic instructions, tens of nanoseconds each time.
`State` therefore keeps its tables' addresses in one block; a kernel gets the block's address as an
integer and opens a table with `table(ctx, i, dtype)`, which is free. `bare` does the same for an array.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from operators.kernel_source import source_digest
from schemas.record import Frame

_CACHE = Path(__file__).parent / "__pycache__"
_IS_CHOSEN_BY_USER = bool(numba.config.CACHE_DIR)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Compile `function` on its first call, and keep the machine code with that of the same source.

    numba compiles a kernel anew when its own file changes, but not when what it calls does, or a constant
    that it imports. So machine code is kept apart by the digest of all source that the kernel's module imports.
    """
    if not _IS_CHOSEN_BY_USER:
        digest = source_digest(Path(inspect.getfile(function)))
        numba.config.CACHE_DIR = str(_CACHE / f"kernels-{digest}")
    return njit(cache=True, error_model="numpy", **options)(function)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile on first call, keep the machine code on disk; IEEE arithmetic, no fast-math, no wall clock."""
    return _compiled(function)


def inlined(function: Callable[..., Any]) -> Any:
    """The same, for the steps of a kernel's innermost loop: its machine code becomes part of the caller's."""
    return _compiled(function, forceinline=True)


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

    @property
    def nbytes(self) -> int:
        """Bytes of all tables."""
        return sum(array.nbytes for array in self._tables.values())

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

    def snapshot(self, **packed: Frame) -> dict[str, Frame]:
        """A copy of every table, but for those in `packed`: what is given there stands for them."""
        return {name: packed[name] if name in packed else array.copy() for name, array in self._tables.items()}

    def restore(self, tables: Mapping[str, Any]) -> None:
        """Take a copy of every table of a snapshot."""
        if tables.keys() != self._tables.keys():
            raise ValueError(f"state tables {sorted(tables)} are not {sorted(self._tables)}")
        for name, array in tables.items():
            self.replace(name, array.copy())
