"""A TCP load balancer, and nothing more: balancer.py PORT BACKEND... Each connection goes to the next one that takes it, bytes as they are."""
import asyncio
import itertools
import sys

HOST = "127.0.0.1"
PORT, *BACKENDS = map(int, sys.argv[1:])
turns = itertools.cycle(BACKENDS)


async def carry(reader, writer):
    try:
        while True:
            data = await reader.read(65536)
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def on_connection(reader, writer):
    for _ in BACKENDS:
        try:
            there, back = await asyncio.open_connection(HOST, next(turns))
        except OSError:
            continue
        await asyncio.gather(carry(reader, back), carry(there, writer))
        return
    writer.close()


async def main():
    server = await asyncio.start_server(on_connection, HOST, PORT)
    await server.serve_forever()


asyncio.run(main())
