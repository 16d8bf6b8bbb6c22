#!/usr/bin/env python3
"""Makes a server on this machine seem far away: a relay with so many MB/s for all connections together, and so many ms to each answer.

usage: slow_link.py PORT MB_PER_S MS        listens on a free port of 127.0.0.1, prints it, and ends with its standard input

What comes from the server waits for its turn on the link, and half of the ms; what goes to it waits the other half. A connection holds 2 MiB on
their way at most, so a reader that does not read holds its server back.
"""
import asyncio
import sys

PIECE, MOST_WAITING = 32 << 10, 64


class Link:
    def __init__(self, port, rate, delay):
        self.port, self.rate, self.delay, self.free_at = port, rate, delay, 0.0

    def due(self, size):
        """When bytes that come now have gone through."""
        now = asyncio.get_running_loop().time()
        self.free_at = max(self.free_at, now) + size / self.rate
        return self.free_at + self.delay

    async def carry(self, reader, writer, is_limited):
        waiting = asyncio.Queue(MOST_WAITING)
        sending = asyncio.create_task(self.send(waiting, writer))
        while data := await reader.read(PIECE):
            await waiting.put((self.due(len(data)) if is_limited else asyncio.get_running_loop().time() + self.delay, data))
        await waiting.put(None)
        await sending

    async def send(self, waiting, writer):
        while item := await waiting.get():
            due, data = item
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            writer.write(data)
            await writer.drain()
        writer.close()

    async def accept(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        await asyncio.gather(self.carry(reader, back, False), self.carry(there, writer, True), return_exceptions=True)


async def main(port, rate, ms):
    link = Link(int(port), float(rate) * 1e6, float(ms) / 2000)
    server = await asyncio.start_server(link.accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
