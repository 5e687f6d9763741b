"""Put first on PYTHONPATH, this shortens every wait of the program and its providers: tests need no wall-clock time."""

import time

LONGEST_S = 0.1
_sleep = time.sleep


def sleep(seconds: float) -> None:
    _sleep(min(seconds, LONGEST_S))


time.sleep = sleep
