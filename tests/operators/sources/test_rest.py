"""Replies over HTTP: a body, or an error that says what to do."""

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from operators.sources.rest import get, get_soon
from schemas.errors import CaptureError


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status = int(self.path.strip("/"))
        if status == 1:  # answers with what is no HTTP
            self.wfile.write(b"nonsense\r\n\r\n")
            return
        self.send_response(status)
        self.send_header("Content-Length", "2" if status != 206 else "5")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_body(address):
    assert get(f"{address}/200") == b"[]"
    assert asyncio.run(get_soon(f"{address}/200")) == b"[]"


@pytest.mark.parametrize("path", ["404", "429", "500", "1", "206", "203"])
def test_anything_else_is_no_reply(address, path):
    with pytest.raises(CaptureError, match=f"{address}/{path}: no reply .*; correct the address, or try again later"):
        get(f"{address}/{path}")
    with pytest.raises(CaptureError, match="no reply"):
        asyncio.run(get_soon(f"{address}/{path}"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "no address", "http://"])
def test_nobody_there(url):
    with pytest.raises(CaptureError, match="no reply"):
        get(url)


def test_a_reply_that_nobody_waits_for_any_more_is_let_go(address):
    async def give_up():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get_soon(f"{address}/200"), 0)
        await asyncio.sleep(0.1)

    asyncio.run(give_up())
