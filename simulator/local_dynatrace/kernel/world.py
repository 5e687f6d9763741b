"""Everything a part of the local environment may ask for, in one place."""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .data_objects import DataObject
from .earlier import Earlier
from .faults import Faults
from .identity import Identity
from .options import Options
from .scripts import Scripts
from .store import Store

if TYPE_CHECKING:
    from ..plugins import Plugin


class Ids:
    """Seeded randomness, whose position survives a restart: same seed, same ids.

    The position is also kept in memory, as a refusal's id goes out although its transaction is rolled back.
    """

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._seed = seed
        self._taken = 0

    def _random(self) -> random.Random:
        self._taken = max(self._taken, self._store.meta("ids", 0)) + 1
        self._store.set_meta("ids", self._taken)
        return random.Random(f"{self._seed}/{self._taken}")

    def remember(self) -> None:
        """After a rollback: store how many ids have been given out."""
        if self._taken > self._store.meta("ids", 0):
            self._store.set_meta("ids", self._taken)

    def begin_again(self) -> None:
        """After a reset or a restored state: continue from the stored position."""
        self._taken = 0

    def uuid(self) -> str:
        return str(uuid.UUID(int=self._random().getrandbits(128), version=4))

    def hex(self, length: int) -> str:
        """Upper-case hexadecimal digits, as in CREDENTIALS_VAULT-7225CC547B03EB6A."""
        return f"{self._random().getrandbits(length * 4):0{length}X}"


@dataclass(frozen=True)
class Copy:
    """What a request and its answer said. It holds secrets: mask it before it is shown (``masked_body``)."""

    request_headers: dict[str, str]
    """The few that matter; of Authorization only the scheme."""
    request: bytes | None
    """None: longer than ``COPY_BYTES``."""
    request_size: int
    answer_headers: dict[str, str]
    answer: bytes | None
    answer_size: int


COPY_BYTES = 200_000
COPIES = 200
"""How many of the newest requests keep their copy."""


@dataclass
class LoggedRequest:
    """One line of the request log, without secrets of the address (masking.py)."""

    number: int
    at_us: int
    api: str
    method: str
    path: str
    query: str
    status: int
    """0: the connection was cut without an answer."""
    milliseconds: float
    caller: str
    execution: str | None
    fault: int | None
    """Id of the fault rule that hit it."""
    fault_note: str = ""
    fault_effect: str = ""
    fault_kills: bool = False
    copy: Copy | None = None


def new_request_log() -> deque[LoggedRequest]:
    return deque(maxlen=20_000)


@dataclass
class World:
    """The local environment: one per process."""

    options: Options
    store: Store
    plugins: tuple[Plugin, ...] = ()
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    earlier: Earlier = field(default_factory=Earlier)
    requests: deque[LoggedRequest] = field(default_factory=new_request_log)
    request_count: int = 0
    ready: bool = False
    """Every part has started; until then the health check answers 503."""
    data_objects: dict[str, DataObject] = field(default_factory=dict)
    """What DQL can fetch beside logs, by name; an API registers its tables in its ``setup``."""
    pending: list[Callable[[], bool]] = field(default_factory=list)
    """Whether a part has something to do at once, beside running scripts; see control/idle.py."""
    on_change: list[Callable[[str, Any], None]] = field(default_factory=list)
    """Called with (kind, id) when something a page shows has changed (execution, logs, ...)."""

    def __post_init__(self) -> None:
        self.ids = Ids(self.store, self.options.seed)
        self.identity = Identity(self.store, self.clock)
        self.options_at_start = self.options.shown()
        """What a reset goes back to."""
        self.scripts: Scripts
        """Running scripts; set by the runtime when it starts."""

    @property
    def url(self) -> str:
        """The environment's own address: stands for ID.live.dynatrace.com and ID.apps.dynatrace.com alike."""
        return f"http://{self.options.address}:{self.options.port}"

    def changed(self, kind: str, id: Any = None) -> None:
        for listener in list(self.on_change):
            listener(kind, id)
