"""All state in one SQLite file. Each request is one transaction, committed before its answer leaves."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

Row = sqlite3.Row


class Store:
    """A thin door to SQLite: every API module brings its own tables and plain SQL.

    Write-ahead logging survives a killed process; an acknowledged write is never lost to ``kill -9``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = Row
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;")
        self._schemas: dict[str, None] = {}
        self.create("CREATE TABLE IF NOT EXISTS kernel_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        self._depth = 0
        self._after_commit: list[Callable[[], None]] = []
        self._cipher = Fernet(self._key())

    def create(self, schema: str) -> None:
        """Run ``CREATE … IF NOT EXISTS`` statements of one API."""
        self._schemas[schema] = None
        self.db.executescript(schema)

    @property
    def schema(self) -> str:
        """What tables this version makes, as a digest: a file that was made by another one may lack columns."""
        return hashlib.sha256("".join(self._schemas).encode()).hexdigest()[:16]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One atomic write; nested uses join the outer one."""
        if self._depth:
            yield
            return
        self._depth += 1
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._after_commit.clear()
            self.db.execute("ROLLBACK")
            raise
        else:
            self.db.execute("COMMIT")
        finally:
            self._depth -= 1
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back when the transaction under way is committed (never if it is rolled back); at once outside one."""
        if self._depth:
            self._after_commit.append(callback)
        else:
            callback()

    def reader(self) -> sqlite3.Connection:
        """A read-only connection for work in a thread; whoever asks for it closes it."""
        db = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        db.row_factory = Row
        return db

    def all(self, sql: str, *values: Any) -> list[Row]:
        return self.db.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        row: Row | None = self.db.execute(sql, values).fetchone()
        return row

    def run(self, sql: str, *values: Any) -> int:
        """Execute a write; returns the number of rows it touched."""
        return self.db.execute(sql, values).rowcount

    def tables(self) -> list[str]:
        """Names of all tables, in order."""
        found = self.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return sorted(table["name"] for table in found)

    def meta(self, key: str, default: Any = None) -> Any:
        row = self.one("SELECT value FROM kernel_meta WHERE key = ?", key)
        return json.loads(row["value"]) if row else default

    def set_meta(self, key: str, value: Any) -> None:
        self.run("INSERT OR REPLACE INTO kernel_meta VALUES (?, ?)", key, json.dumps(value))

    def seal(self, secret: str) -> str:
        """Encrypt a secret for the file: whoever copies the database alone learns nothing."""
        return self._cipher.encrypt(secret.encode("utf-8", "surrogatepass")).decode()

    def unseal(self, sealed: str) -> str:
        return self._cipher.decrypt(sealed.encode()).decode("utf-8", "surrogatepass")

    def _key(self) -> bytes:
        file = self.path.with_suffix(".key")
        if not file.exists():
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as key:
                key.write(Fernet.generate_key())
        return file.read_bytes()

    def close(self) -> None:
        self.db.close()
