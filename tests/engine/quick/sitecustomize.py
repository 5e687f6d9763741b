"""Put first on PYTHONPATH, this shortens every wait of the program and its providers: tests need no wall-clock time.

It also turns off garbage collection, for which these processes end too soon.
"""

import gc
import time

BACK_OFF_S = 0.03
POLL_S = 0.5
"""Waits of whole seconds are looks at a running script, which runs in real time."""
_sleep = time.sleep


def sleep(seconds: float) -> None:
    _sleep(min(seconds, POLL_S if seconds >= 1 and seconds == int(seconds) else BACK_OFF_S))


time.sleep = sleep
gc.disable()
