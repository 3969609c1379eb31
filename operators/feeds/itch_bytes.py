"""Reading big-endian fields at an address: one load and one byte swap each, however they are aligned."""

from numba import types
from numba.extending import intrinsic

from operators.kernel import inlined, kernel

_HIGH_BITS = int.from_bytes(b"\x80" * 8, "big", signed=True)
_SPACES = int.from_bytes(b" " * 8, "big")
_ONES = int.from_bytes(b"\x01" * 8, "big")


def _loader(unsigned):  # type: ignore[no-untyped-def]
    """An intrinsic that loads the big-endian `unsigned` at an address of this little-endian machine, as int64."""

    def load(typingctx, address):  # type: ignore[no-untyped-def]
        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            integer = context.get_value_type(unsigned)
            value = builder.load(builder.inttoptr(args[0], integer.as_pointer()), align=1)
            if unsigned.bitwidth > 8:
                value = builder.bswap(value)
            return context.cast(builder, value, unsigned, types.int64)

        return types.int64(types.int64), codegen

    return intrinsic(load)


be8, be16, be32, be64 = map(_loader, (types.uint8, types.uint16, types.uint32, types.uint64))
"""be8(address) … be64(address): int64. be64 keeps the bits, so references above 2**63 come out negative."""


@kernel
def printable(text: int) -> bool:
    """Whether all eight bytes of `text` are printable ASCII (0x20 to 0x7e)."""
    return unprintable(text) == 0


@inlined
def unprintable(text: int) -> int:
    """0 where all eight bytes of `text` are printable ASCII (0x20 to 0x7e), tested at once.

    Below 0x80, subtracting 0x20 raises the high bit of bytes under it, adding 1 that of 0x7f.
    """
    return (text | (text - _SPACES) | (text + _ONES)) & _HIGH_BITS
