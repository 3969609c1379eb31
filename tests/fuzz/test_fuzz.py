"""A short seeded run over every decoder; `make fuzz` is the long one, guided by coverage."""

import random
import time
import zlib

import pytest

from tests.fuzz.mutate import mutated
from tests.fuzz.targets import targets

INPUTS_PER_SHARE = 100
TARGETS = targets()
SLOW_S = 5.0


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_nothing_escapes_and_nothing_hangs(name: str) -> None:
    target, rng = TARGETS[name], random.Random(zlib.crc32(name.encode()))
    for seed in target.seeds:
        target.run(seed)
    slowest_s = 0.0
    for number in range(INPUTS_PER_SHARE * target.share):
        data = mutated(rng, target.seeds)
        started_s = time.thread_time()
        try:
            target.run(data)
        except Exception as e:
            e.add_note(f"target {name}, input {number}: {data!r}")
            raise
        slowest_s = max(slowest_s, time.thread_time() - started_s)
    assert slowest_s < SLOW_S
