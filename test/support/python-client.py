"""Subscribes to everything with a WebSocket library of another family, and prints what it gets.

Arguments: port, number of data frames. Output: the extensions that were agreed on, then a data frame a line.
"""
import asyncio
import json
import sys

import websockets


async def main(port, frames):
    url = f"ws://127.0.0.1:{port}/ws?subscription=none"
    async with websockets.connect(url, compression="deflate", max_size=None) as socket:
        await socket.send(json.dumps({"type": "subscribe", "payload": {}}))
        while json.loads(await socket.recv())["type"] != "subscribed":
            pass
        print(",".join(extension.name for extension in socket.extensions), flush=True)
        while frames > 0:
            text = await socket.recv()
            if "seq" in json.loads(text):
                print(text)
                frames -= 1


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
