"""Bytes damaged at random: changed, cut, doubled, joined, or made up."""

import random

_TELLING = (0, 1, 0x20, 0x30, 0x7F, 0x80, 0xFF, *b'"{}[],:\n-.eBSQ')


def mutated(rng: random.Random, seeds: list[bytes]) -> bytes:
    """An input near one of `seeds`, or near none."""
    if rng.random() < 0.05:
        return rng.randbytes(rng.randrange(200))
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((0, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1)
        fate = rng.randrange(6)
        if fate == 0:
            data[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif fate == 1:
            del data[at : at + rng.randrange(1, 30)]
        elif fate == 2:
            other = rng.choice(seeds)
            start = rng.randrange(len(other) + 1)
            data[at:at] = other[start : start + rng.randrange(200)]
        elif fate == 3:
            data[at:] = data[at:] * 2 if len(data) < 4_096 else b""
        elif at < len(data):
            data[at] = rng.choice(_TELLING) if fate == 4 else rng.randrange(256)
    return bytes(data)
