"""``preview-pr``: what a pull request would change in production, without a single secret of production.

The base is brought up in a local environment with the stack's plain config and placeholders for its secrets; then the
head is previewed against that state. The diff is the one that production would show, as far as production is at the
base (the drift job tells when it is not).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from providers.api.destination import VARIABLE
from providers.rules import LOOPBACK

from . import github
from .drift import plain
from .rehearsal import environment, placeholders
from .stack import ROOT, Stack, StackError

OUTPUT = ROOT / "build" / "preview"
BASES = ("origin/main", "main")
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "VIRTUAL_ENV")
"""Variables that the previewed program sees; no token of the job is among them."""
ROTATED = "2"

Content = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", default="", help="commit to compare with (default: where HEAD left main)")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: previewed. Raises StackError with pulumi's words if the base does not come up or the head has an error."""
    base = options.base or default_base(stack.folder)
    with tempfile.TemporaryDirectory(prefix="preview-") as scratch:
        text = preview(stack, base, Path(scratch))
    print(text)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    file = OUTPUT / f"{file_name(stack.name)}.txt"
    file.write_text(text + "\n", encoding="utf-8")
    github.summarize(f"### What this changes in `{stack.name}`\n\n{github.fenced(text, 'diff')}\n")
    return 0


def default_base(folder: Path) -> str:
    """Where HEAD left the main branch; HEAD itself on the main branch, so that uncommitted work is previewed."""
    target = os.environ.get("GITHUB_BASE_REF")
    for name in (f"origin/{target}",) if target else BASES:
        if git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False):
            return git(folder, "merge-base", "HEAD", name)
    return git(folder, "rev-parse", "HEAD")


def preview(stack: Stack, base: str, scratch: Path) -> str:
    """Bring the base up, preview the head; returns the preview's text."""
    before, after = scratch / "base", scratch / "head"
    unpack(stack.folder, base, before)
    copy(stack.folder, after)
    old, new = config_of(before, stack), config_of(after, stack)
    if new is None:
        raise StackError(
            f"{stack_file(after, stack).name} does not exist; create it with pulumi config set --stack {stack.name}"
        )
    notes = []
    with environment(scratch, values(old or new, stack)) as address:
        old, new = old and at_home(old, stack, address), at_home(new, stack, address)
        env = {
            **{key: os.environ[key] for key in KEPT if key in os.environ},
            "PULUMI_HOME": str(scratch / "home"),
            "PULUMI_BACKEND_URL": f"file://{scratch / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "local",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "CI": "true",
            VARIABLE: address,
        }
        (scratch / "state").mkdir()
        if old is not None:
            write_config(before, stack, old, {})
            pulumi(before, env, "stack", "init", stack.name)
            set_secrets(before, env, stack, old, set())
            up = ("up", "--yes", "--skip-preview", "--suppress-progress", "--suppress-outputs", "--stack", stack.name)
            pulumi(before, env, *up)
        else:
            notes.append(f"The base has no stack {stack.name}: everything is new.")
        write_config(after, stack, new, yaml.safe_load(stack_file(before, stack).read_text()) if old else {})
        pulumi(after, env, "stack", "select", stack.name, "--create")
        rotated = rotations(old or {}, new)
        set_secrets(after, env, stack, new, rotated)
        if rotated:
            notes.append(f"Set anew in the stack file: {', '.join(sorted(rotated))} (values are not compared).")
        shown = pulumi(after, env, "preview", "--diff", "--stack", stack.name)
    return "\n".join([*notes, plain(shown).strip()])


# files


def file_name(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def stack_file(folder: Path, stack: Stack) -> Path:
    return folder / f"Pulumi.{file_name(stack.name)}.yaml"


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise StackError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def unpack(folder: Path, commit: str, into: Path) -> None:
    into.mkdir()
    archive = into.parent / "base.tar"
    git(folder, "archive", "--format=tar", f"--output={archive}", commit)
    shutil.unpack_archive(archive, into)
    link_packages(folder, into)


def copy(folder: Path, into: Path) -> None:
    """The working tree as it is, without what git ignores."""
    listed = git(folder, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in listed.split("\0"):
        source, target = folder / name, into / name
        if name and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    link_packages(folder, into)


def link_packages(folder: Path, into: Path) -> None:
    (into / ".venv").symlink_to((folder / ".venv").resolve())


# config


def config_of(folder: Path, stack: Stack) -> Content | None:
    """The stack file's config by full key, without ``adopt``: its ids are those of production's objects."""
    file = stack_file(folder, stack)
    if not file.is_file():
        return None
    content: Content = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
    return {key: value for key, value in content.items() if key != f"{stack.project}:adopt"}


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def at_home(config: Content, stack: Stack, address: str) -> Content:
    """The dev stack names a local environment already: another port of this machine is this one's."""
    url = urlsplit(str(config.get(f"{stack.project}:dynatraceEnvironmentUrl", "")))
    if url.hostname not in LOOPBACK:
        return config
    theirs, ours = f"{url.scheme}://{url.netloc}", f"http://{address}"
    return {key: value.replace(theirs, ours) if isinstance(value, str) else value for key, value in config.items()}


def values(config: Content, stack: Stack) -> Content:
    """Plain values by our key."""
    prefix = f"{stack.project}:"
    return {key.removeprefix(prefix): value for key, value in config.items() if not is_secret(value)}


def rotations(old: Content, new: Content) -> set[str]:
    """Keys of secrets that were stored anew: their encrypted texts differ."""
    return {key.split(":")[1] for key, value in new.items() if is_secret(value) and old.get(key, value) != value}


def write_config(folder: Path, stack: Stack, config: Content, encryption: Content) -> None:
    """The plain part of the config, with the scratch stack's own salt."""
    content: Content = {"config": {key: value for key, value in config.items() if not is_secret(value)}}
    if "encryptionsalt" in encryption:
        content["encryptionsalt"] = encryption["encryptionsalt"]
    stack_file(folder, stack).write_text(yaml.safe_dump(content), encoding="utf-8")


def set_secrets(folder: Path, env: dict[str, str], stack: Stack, config: Content, rotated: set[str]) -> None:
    known = placeholders(values(config, stack))
    for key in [key for key, value in config.items() if is_secret(value)]:
        name = key.removeprefix(f"{stack.project}:")
        text = known.get(name, "placeholder") + (ROTATED if name in rotated else "")
        pulumi(folder, env, "config", "set", "--secret", key, "--stack", stack.name, input=text)


def pulumi(folder: Path, env: dict[str, str], *arguments: str, input: str | None = None) -> str:
    command = ["pulumi", *arguments, "--cwd", str(folder), "--non-interactive", "--color", "never"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, input=input)
    if done.returncode:
        text = (done.stdout + done.stderr).strip()
        if folder.name == "base":
            raise StackError(f"pulumi {arguments[0]} of the base failed:\n{text}")
        raise StackError(f"pulumi {arguments[0]} of the head failed:\n{text}")
    return done.stdout
