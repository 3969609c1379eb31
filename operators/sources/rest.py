"""Replies of venues over HTTP: definitions of instruments, snapshots of books."""

import asyncio
import contextlib
import http
import http.client
import threading
import urllib.error
import urllib.request

from schemas.errors import CaptureError

_TIMEOUT_S = 10.0
_HEADERS = {"User-Agent": "pairflow", "Accept": "application/json"}


def get(url: str) -> bytes:
    """The body of a reply. Raises CaptureError where there is none, or none that says 200."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=_HEADERS), timeout=_TIMEOUT_S) as reply:
            body: bytes = reply.read()
            if reply.status != http.HTTPStatus.OK:
                raise http.client.HTTPException(f"status {reply.status}")
            return body
    except (OSError, http.client.HTTPException, ValueError) as e:
        if isinstance(e, urllib.error.HTTPError):
            e.close()
        raise CaptureError(f"{url}: no reply ({str(e).strip()}); correct the address, or try again later") from e


async def get_soon(url: str) -> bytes:
    """The same, without waiting for it anywhere but here. Where nobody waits any more, the reply goes unheard."""
    loop = asyncio.get_running_loop()
    reply: asyncio.Future[bytes] = loop.create_future()

    def settle(body: bytes, error: Exception | None) -> None:
        if reply.done():
            return
        if error is None:
            reply.set_result(body)
        else:
            reply.set_exception(error)

    def ask() -> None:
        body, error = b"", None
        try:
            body = get(url)
        except Exception as e:  # whatever it is, it is raised where the reply is waited for
            error = e
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, body, error)

    threading.Thread(target=ask, name="rest", daemon=True).start()
    return await reply
