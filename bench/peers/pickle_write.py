"""How long PicklePersistence takes to write its file once: `python -m bench.peers.pickle_write FILE` prints seconds."""

import asyncio
import sys
import time
from typing import Any

from telegram.ext import PicklePersistence


async def write(file: str) -> float:
    persistence: PicklePersistence[Any, Any, Any] = PicklePersistence(file)
    person, data = next(iter((await persistence.get_user_data()).items()))
    began = time.perf_counter()
    await persistence.update_user_data(person, {**data, "changed": True})
    return time.perf_counter() - began


if __name__ == "__main__":
    print(asyncio.run(write(sys.argv[1])))
