"""A ClickHouse HTTP server for tests: the embedded engine behind `http.server`, with faults on request.

    python -m tests.operators.sinks.http_server DIRECTORY PORT PASSWORD

speaks what clickhouse-connect uses of the HTTP interface (https://clickhouse.com/docs/interfaces/http):
statements in the body or in `?query=` with data in the body, settings and `param_` values in the query
string, basic authentication, errors with X-ClickHouse-Exception-Code.

`POST /faults` with a JSON list sets what happens to the next inserts, one fault each:
`{"kind": …, "seconds": …}`. `GET /inserts` tells how many were received.
"""

import base64
import json
import os
import re
import socket
import struct
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import chdb
import lz4.frame

FAULTS = (
    "slow",  # answers after `seconds`
    "unavailable",  # 503, and nothing is done
    "reset",  # the connection is reset before anything is done
    "reset_mid_reply",  # the insert is done; the connection is reset inside the reply
    "lost_reply",  # the insert is done; the connection is reset instead of a reply
    "late",  # the insert is done `seconds` later; by then the client has gone
    "disk_full",  # error 243, and nothing is done
)
NOT_SETTINGS = {
    "query",
    "database",
    "wait_end_of_query",
    "query_id",
    "session_id",
    "client_protocol_version",
    "compress",
}
NOT_SETTINGS |= {"enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms"}


class Engine:
    """The embedded engine; one statement at a time."""

    def __init__(self, directory):
        self.directory = directory
        self.keep_open = chdb.connect(directory)
        self.lock = threading.Lock()

    def run(self, sql, params, data=None):
        """The reply's bytes. Settings hold for this statement alone: it has its own connection."""
        settings = {k: v for k, v in params.items() if k not in NOT_SETTINGS and not k.startswith("param_")}
        readonly = settings.pop("readonly", None)
        values = {k.removeprefix("param_"): v for k, v in params.items() if k.startswith("param_")}
        with self.lock:
            connection = chdb.connect(self.directory)
            try:
                if params.get("database"):
                    connection.query(f"USE `{params['database']}`")
                for name, value in settings.items():
                    connection.query(f"SET {name} = {quote(value)}")
                if readonly:
                    connection.query(f"SET readonly = {quote(readonly)}")
                if data is None:
                    return connection.query(sql, "TabSeparated", params=values).bytes() or b""
                with tempfile.NamedTemporaryFile() as file:
                    file.write(data)
                    file.flush()
                    into, fmt = re.fullmatch(r"(.*)\sFORMAT (\w+)\s*", sql, re.DOTALL).groups()
                    connection.query(f"{into} FROM INFILE {quote(file.name)} FORMAT {fmt}")
                    return b""
            finally:
                connection.close()


def quote(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine = None
    authorization = ""
    faults = []
    inserts = [0]

    def do_GET(self):
        if self.path == "/ping":
            self.reply(200, b"Ok.\n")
        elif self.path == "/inserts":
            self.reply(200, json.dumps(self.inserts[0]).encode())
        else:
            self.do_POST()

    def do_POST(self):
        body = self.body()
        if self.path == "/faults":
            self.faults[:] = json.loads(body)
            self.reply(200, b"")
        elif self.headers.get("Authorization", "") != self.authorization:
            self.error("Code: 516. DB::Exception: default: Authentication failed: password is incorrect.", 403)
        else:
            self.statement(dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)), body)

    def statement(self, params, body):
        sql, data = params.get("query"), body
        if sql is None:
            first, _, rest = body.partition(b"\n")
            inserts_data = first.startswith(b"INSERT INTO") and b" FORMAT " in first
            sql, data = (first.decode(), rest) if inserts_data else (body.decode(), None)
        fault = {}
        if sql.startswith("INSERT INTO"):
            self.inserts[0] += 1
            fault = self.faults.pop(0) if self.faults else {}
        kind = fault.get("kind")
        if kind in ("slow", "late"):
            time.sleep(fault["seconds"])
        if kind == "unavailable":
            self.reply(503, b"upstream connect error")
        elif kind == "disk_full":
            self.error("Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)", 500)
        elif kind == "reset":
            self.reset()
        else:
            self.run(sql, params, data, kind)

    def run(self, sql, params, data, kind):
        try:
            reply = self.engine.run(sql, params, data)
        except Exception as e:
            self.error(str(e), 500)
            return
        if kind == "reset_mid_reply":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-ClickHouse-Su")
            self.wfile.flush()
        if kind in ("reset_mid_reply", "lost_reply"):
            self.reset()
        else:
            self.reply(200, reply)

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return lz4.frame.decompress(body) if self.headers.get("Content-Encoding") == "lz4" else body

    def reply(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Format", "TabSeparated")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def error(self, text, status):
        code = re.search(r"Code: (\d+)", text)
        self.reply(status, text.encode(), X_ClickHouse_Exception_Code=code[1] if code else "1001")

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that gave up, and connections reset on purpose, are what the tests are about."""


def end_with_parent():
    """Standard input ends when the process that started us does."""
    sys.stdin.read()
    os._exit(0)


def main(directory, port, password):
    Handler.engine = Engine(directory)
    Handler.authorization = "Basic " + base64.b64encode(f"default:{password}".encode()).decode()
    server = Server(("127.0.0.1", int(port)), Handler)
    threading.Thread(target=end_with_parent, daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
