"""How a script's process is started and what it may touch: one port, its own text, the SDK's modules, nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path

from deno import find_deno_bin  # type: ignore[import-untyped]

from ..kernel.options import Options
from . import modules
from .messages import translated

MAIN = Path(__file__).with_name("javascript") / "main.js"
SCRIPT = "script.ts"
VERSION_FOLDER = re.compile(r"\b[0-9a-f]{16}/(?=[\w.-])")
"""Of a script, beside which nothing else can be imported."""
FRAME_IN_JSON = re.compile(rf'\\n +at [^"\\\n]*{re.escape(MAIN.parent.as_uri())}/[^"\\\n]*')
SPECIFIER = "dt:script"
"""What main.js imports; a name that is known before the process starts needs no right to read files."""


class Sandbox:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.deno = Path(find_deno_bin())
        self.modules = options.deno_modules.resolve()
        # Beside the state: Deno's compiled modules, and each script that ever ran, once.
        self.folder = options.state.resolve().parent / "runtime"
        self.scripts = self.folder / "scripts"
        self._imports: dict[str, str] | None = None

    async def prepare(self, script: str) -> None:
        """Install the modules that the script may import, if they are missing. Raises ModulesError."""
        if modules.SCOPE in script and not self.modules.is_dir():
            await asyncio.to_thread(modules.install, self.deno, self.modules)
            self._imports = None

    def command(self, script: str, port: int, base_url: str) -> list[str]:
        v8 = f"--max-old-space-size={self.options.script_memory_mb},--disallow-code-generation-from-strings"
        return [
            str(self.deno), "run", "--quiet", "--no-prompt", "--no-remote", "--no-npm", "--no-config", "--no-lock",
            "--cached-only", "--import-map", str(self._import_map(script)), "--location", base_url,
            f"--allow-net=127.0.0.1:{port}", f"--v8-flags={v8}", str(MAIN),
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        cache = self.folder / "deno"
        return {"DENO_DIR": str(cache), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1", "TZ": "UTC", "HOME": str(cache)}

    def clean(self, text: str) -> str:
        """In the platform's words, without this machine's paths and without the runtime's own frames in a stack."""
        kept = "\n".join(line for line in text.split("\n") if f"{MAIN.parent.as_uri()}/" not in line)
        return translated(self.without_paths(kept))

    def without_paths(self, text: str) -> str:
        """Scripts and modules by their name alone; works on JSON, too."""
        text = FRAME_IN_JSON.sub("", text)
        for folder in (self.modules, self.scripts):
            text = text.replace(f"{folder.as_uri()}/", "").replace(f"{folder}/", "")
        return VERSION_FOLDER.sub("", text)

    def _import_map(self, script: str) -> Path:
        """Write the script and its import map, named by their content so that compiled code is found again."""
        found = self._modules()
        content = json.dumps([script, found])
        folder = self.scripts / hashlib.sha256(content.encode()).hexdigest()[:16]
        # TypeScript is accepted by the platform (facts: dynatrace-runtime 2); line numbers stay those of the script.
        source, imports = folder / SCRIPT, folder / "imports.json"
        if not imports.exists():
            folder.mkdir(parents=True, exist_ok=True)
            source.write_text(script, encoding="utf-8", errors="replace")
            own = source.as_uri()
            # The script itself reads no file of this machine, the modules read their own.
            scopes = {own: dict.fromkeys(("file:///", f"{folder.as_uri()}/"), "dt-missing:///")}
            imports.write_text(json.dumps({"imports": {**found, SPECIFIER: own}, "scopes": scopes}), encoding="utf-8")
        return imports

    def _modules(self) -> dict[str, str]:
        if self._imports is None:
            self._imports = dict(modules.packages(self.modules))
        return self._imports
