"""A recorded session played in a process of its own: `python -m tests.recovery.live_server FILE SPEED LINE…`.

Prints the ports at which it answers requests and lets clients in, then plays until it is killed. SIGUSR1 has it play
the rest at once.
"""

import signal
import sys
from pathlib import Path

from operators.sources.endpoint import Endpoint
from operators.sources.player import Player, itch_messages

LOCALHOST = "127.0.0.1"
SESSION = "20260105A"


def main(path: Path, speed: float, lines: list[int]) -> None:
    player = Player(
        itch_messages(path),
        SESSION,
        speed,
        lines=[Endpoint(LOCALHOST, port) for port in lines],
        replies=Endpoint(LOCALHOST, 0),
        soup=Endpoint(LOCALHOST, 0),
        passwords={"pair": "secret"},
        loss=0.1,
        seed=1,
    )
    signal.signal(signal.SIGUSR1, lambda *_: setattr(player, "speed", 0.0))
    print(*player.ports, flush=True)
    while True:
        player.step(0.005)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), [int(port) for port in sys.argv[3:]])
