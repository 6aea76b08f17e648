"""A stream ends when its client is closed by another thread, or its task is cancelled: `closing.py`."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tidegate import AsyncClient, Client, ClientClosed, Snapshot


class QuietGateway(BaseHTTPRequestHandler):
    """Gives a cursor, and a stream of signs of life without an end."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if "event-stream" not in self.headers["accept"]:
            body = json.dumps({"data": {"statusCursor": "c1"}}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        opened.set()
        try:
            while True:
                self.wfile.write(b":\n\n")
                self.wfile.flush()
                stopped.wait(0.05)
        except OSError:
            left.set()

    def log_message(self, format: str, *args: object) -> None:
        pass


opened, left, stopped = threading.Event(), threading.Event(), threading.Event()


def with_threads(url: str) -> None:
    client = Client(url, token="t")
    seen: list[object] = []

    def follow() -> None:
        try:
            for item in client.follow():
                seen.append(item)
        except ClientClosed as error:
            seen.append(error)

    thread = threading.Thread(target=follow)
    thread.start()
    assert opened.wait(20), "the stream was not opened"
    client.close()
    thread.join(20)
    assert not thread.is_alive(), "the stream goes on"
    assert isinstance(seen[0], Snapshot) and isinstance(seen[1], ClientClosed), seen
    assert left.wait(20), "the connection is still open"


async def with_tasks(url: str) -> None:
    async with AsyncClient(url, token="t") as client:

        async def follow() -> None:
            async for _ in client.follow():
                pass

        task = asyncio.create_task(follow())
        assert await asyncio.to_thread(opened.wait, 20), "the stream was not opened"
        task.cancel()
        try:
            await asyncio.wait_for(task, 20)
        except asyncio.CancelledError:
            pass
    assert await asyncio.to_thread(left.wait, 20), "the connection is still open"


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), QuietGateway)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/graphql"
    with_threads(address)
    opened.clear()
    left.clear()
    asyncio.run(with_tasks(address))
    server.shutdown()
    print("closed")
