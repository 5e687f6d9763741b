"""Package mirrors: what pip's configuration becomes for uv, and what is said if no registry answers."""

from __future__ import annotations

import http.server
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.toolchain import mirrors
from dev.toolchain.commands import Finished, run
from dev.toolchain.packages import UV

PYTHON = Path(sys.executable)


def test_every_place_where_pip_looks_is_handed_to_uv(tmp_path: Path) -> None:
    found = mirrors.from_pip([
        "global.index-url='https://mirror.example/simple'",
        "global.extra-index-url='\\nhttps://a.example/simple\\nhttps://b.example/simple'",
        f"global.find-links='{tmp_path} /no/such/folder https://wheels.example/'",
        "install.trusted-host='mirror.example a.example'",
        "global.cert='/etc/company.pem'",
        "global.default-timeout='90'",
    ])  # fmt: skip

    assert found == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": f"{tmp_path},https://wheels.example/",
        "UV_INSECURE_HOST": "mirror.example a.example",
        "SSL_CERT_FILE": "/etc/company.pem",
        "UV_HTTP_TIMEOUT": "90",
    }


def test_pips_environment_wins_over_its_files() -> None:
    lines = [":env:.index-url='https://env.example'", "global.index-url='https://file.example'"]

    assert mirrors.from_pip(lines) == {"UV_DEFAULT_INDEX": "https://env.example"}


def test_an_index_that_is_set_for_uv_is_left_alone() -> None:
    environment = {**os.environ, "PIP_INDEX_URL": "https://pip.example", "PIP_CERT": "/c.pem", "UV_INDEX": "https://uv"}
    environment.pop("SSL_CERT_FILE", None)

    found = mirrors.for_uv(PYTHON, environment)

    assert not mirrors.INDEXES & found.keys()
    assert found["SSL_CERT_FILE"] == "/c.pem"


@pytest.fixture
def mirror() -> Iterator[tuple[str, list[str]]]:
    """The address of an index without any package, and the paths it was asked for."""
    asked: list[str] = []

    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple", asked
        server.shutdown()


def clean() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}


@pytest.mark.parametrize("how", ["variable", "pip.conf"])
def test_uv_really_asks_the_mirror_that_pip_has(how: str, mirror: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = mirror
    configuration = tmp_path / "pip.conf"
    configuration.write_text(f"[global]\nindex-url = {address}\n")
    pip = {"PIP_INDEX_URL": address} if how == "variable" else {"PIP_CONFIG_FILE": str(configuration)}
    environment = {**clean(), **pip}

    command = [UV, "pip", "install", "--dry-run", "--no-cache", "--python", PYTHON, "no-such-package"]
    done = run(command, cwd=tmp_path, env={**environment, **mirrors.for_uv(PYTHON, environment)})

    assert not done.ok
    assert asked == ["/simple/no-such-package/"]


def test_without_a_registry_one_line_names_the_variables_of_mirrors(tmp_path: Path) -> None:
    dead = "http://127.0.0.1:9/simple"
    environment = {
        **clean(),
        "PIP_INDEX_URL": dead,
        "PIP_RETRIES": "1",
        "UV_DEFAULT_INDEX": dead,
        "UV_HTTP_RETRIES": "0",
    }
    for command in (
        [UV, "pip", "install", "--dry-run", "--no-cache", "--python", PYTHON, "no-such-package"],
        [PYTHON, "-m", "pip", "download", "--no-cache-dir", "-d", tmp_path, "no-such-package"],
    ):
        said = mirrors.reason(run(command, cwd=tmp_path, env=environment))

        assert "\n" not in said
        assert all(name in said for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "NPM_CONFIG_REGISTRY", "GOPROXY"))


def test_other_failures_are_reported_without_addresses() -> None:
    lines = ["error: hash mismatch", "from https://user:word@mirror.example/simple/x/ (index)"]

    assert mirrors.reason(Finished(1, lines)) == "\nerror: hash mismatch\nfrom <address> (index)"
