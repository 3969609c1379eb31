"""A recorded session played on the network, until it is stopped: what `pairflow serve` does."""

import time
from pathlib import Path

from operators.sources.endpoint import Endpoint
from operators.sources.player import Player, itch_messages
from schemas.errors import CaptureError

_TELL_S = 1.0


def serve_session(
    path: Path,
    session: str,
    speed: float,
    *,
    lines: list[Endpoint],
    replies: Endpoint | None,
    soup: Endpoint | None,
    passwords: dict[str, str],
    loss: float,
) -> None:
    """Play an ITCH file and go on answering; Ctrl-C ends it. Raises CaptureError where that cannot be done."""
    try:
        player = Player(
            itch_messages(path),
            session,
            speed,
            lines=lines,
            replies=replies,
            soup=soup,
            passwords=passwords,
            loss=loss,
        )
    except OSError as e:
        raise CaptureError(f"cannot serve {path}: {e.strerror or e}; correct the file or the addresses") from e
    print(f"serving {path} as session {session}; Ctrl-C ends it", flush=True)
    told_s, told = time.monotonic(), 0
    try:
        while True:
            player.step(0.001)
            if time.monotonic() - told_s >= _TELL_S and player.played != told:
                told_s, told = time.monotonic(), player.played
                print(f"{told:,} messages{', all of them' if player.is_over else ''}", flush=True)
    except KeyboardInterrupt:
        print()
    finally:
        player.close()
