"""``preview-pr``: what a pull request would change in production, without any of production's secrets.

The base is deployed to a local environment with the stack's plain config, and with placeholders for its secrets and for
what comes from Pulumi ESC; then the head is previewed against that state. The diff is the one that production would
show, provided production is at the base commit (the drift job reports when it is not).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from providers.api.destination import VARIABLE
from providers.configuration import KEYS, OAUTH
from providers.rules import LOOPBACK

from . import github
from .rehearsal import NEEDED, PLAIN_PLACEHOLDERS, environment, placeholders
from .stack import ROOT, Stack, StackError

OUTPUT = ROOT / "build" / "preview"
BASES = ("origin/main", "main")
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONUTF8", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "VIRTUAL_ENV")
"""Variables that the previewed program gets from this process; none of them holds a token."""
ROTATED = "2"

Content = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", default="", help="commit to compare with (default: where HEAD branched off main)")


def run(stack: Stack, options: argparse.Namespace) -> int:
    """0: previewed. Raises StackError with Pulumi's errors if the base cannot be deployed or the head previewed."""
    base = options.base or default_base(stack.folder)
    with tempfile.TemporaryDirectory(prefix="preview-") as scratch:
        text = preview(stack, base, Path(scratch))
    print(text)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    file = OUTPUT / f"{stack.name.rsplit('/', 1)[-1]}.txt"
    file.write_text(text + "\n", encoding="utf-8")
    github.summarize(f"### Changes to `{stack.name}`\n\n{github.fenced(text, 'diff')}\n")
    return 0


def default_base(folder: Path) -> str:
    """Where HEAD branched off main; on main HEAD itself, so that uncommitted work is previewed."""
    target = os.environ.get("GITHUB_BASE_REF")
    for name in (f"origin/{target}",) if target else BASES:
        if git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False):
            return git(folder, "merge-base", "HEAD", name)
    return git(folder, "rev-parse", "HEAD")


def preview(stack: Stack, base: str, scratch: Path) -> str:
    """Deploy the base, preview the head; returns the preview's text."""
    before, after = scratch / "base", scratch / "head"
    unpack(stack.folder, base, before)
    copy(stack.folder, after)
    old, new = config_of(before, stack), config_of(after, stack)
    if new is None:
        raise StackError(
            f"{stack_file(after, stack).name} does not exist; create it with pulumi config set --stack {stack.name}"
        )
    absent = complete(old, new, stack)
    (scratch / "state").mkdir()
    with environment(scratch, values((old or new).config, stack)) as address, variables(scratch, address):
        target, salt = at_home(new.config, stack, address), {}
        source = {} if old is None else at_home(old.config, stack, address)
        if old is not None:
            with failures("the base cannot be deployed"):
                prepare(before, stack, source, {}, set()).up()
            salt = yaml.safe_load(stack_file(before, stack).read_text(encoding="utf-8"))
        rotated = rotations(source, target)
        with failures("the head cannot be previewed"):
            found = prepare(after, stack, target, salt, rotated).preview()
    compared = f"Base: {described(stack.folder, base)}. Head: {described(stack.folder, 'HEAD', worktree=True)}."
    if old is None:
        compared += f" The base has no stack {stack.name}: everything is new."
    lines = [f"Preview of {stack.name}: {counted(found.changes)}", compared, secrets_line(rotated, absent, new)]
    return "\n".join([*lines, "", found.text])


def counted(changes: dict[str, list[str]]) -> str:
    """``1 to create (scm), 2 to update (first-run, workflow)``: always in the same order."""
    parts = [f"{len(names)} to {verb} ({', '.join(sorted(names))})" for verb, names in sorted(changes.items())]
    return ", ".join(parts) or "no changes"


def described(folder: Path, commit: str, *, worktree: bool = False) -> str:
    """A commit's short hash and subject; ``worktree``: and whether the working tree has more."""
    text = git(folder, "show", "--no-patch", "--format=%h “%s”", commit)
    return f"{text} with uncommitted changes" if worktree and git(folder, "status", "--porcelain") else text


def secrets_line(rotated: set[str], absent: list[str], new: StackConfig) -> str:
    """What is not production's own in the preview."""
    changed = f"; set again in the stack file: {', '.join(sorted(rotated))}" if rotated else ""
    line = f"Secrets: placeholders, values are not compared{changed}."
    if new.environments:
        line += (
            f" From ESC ({', '.join(new.environments)}), so not known here: placeholders for "
            f"{', '.join(absent) or 'none'}; optional settings from there are shown with their defaults."
        )
    return line


def prepare(folder: Path, stack: Stack, config: Content, encryption: Content, rotated: set[str]) -> Stack:
    """The stack in a scratch folder, with its plain config and placeholders for its secrets."""
    write_config(folder, stack, config, encryption)
    scratch = Stack(stack.name, folder)
    scratch.create()
    known = {**PLAIN_PLACEHOLDERS, **placeholders(values(config, stack))}
    names = [key.removeprefix(f"{stack.project}:") for key, value in config.items() if is_secret(value)]
    scratch.configure({name: stand_in(name, known, name in rotated) for name in names}, secret=True)
    return scratch


def stand_in(name: str, known: Mapping[str, str], is_rotated: bool) -> str:
    """A value in place of an encrypted one; users may encrypt any setting."""
    key = KEYS.get(name)
    if name in known:
        return known[name] + (ROTATED if is_rotated and key and key.secret else "")
    return (key.default if key else None) or "placeholder"


@contextmanager
def variables(scratch: Path, address: str) -> Iterator[None]:
    """While this lasts, the process has only the variables that a previewed program may see.

    The Automation API hands on the whole environment of the process.
    """
    everything = dict(os.environ)
    kept = {key: everything[key] for key in KEPT if key in everything}
    os.environ.clear()
    os.environ.update(
        kept,
        PULUMI_HOME=str(scratch / "home"),
        PULUMI_BACKEND_URL=f"file://{scratch / 'state'}",
        PULUMI_CONFIG_PASSPHRASE="local",
        PULUMI_SKIP_UPDATE_CHECK="true",
        CI="true",
    )
    os.environ[VARIABLE] = address
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(everything)


@contextmanager
def failures(what: str) -> Iterator[None]:
    try:
        yield
    except StackError as error:
        said = f"{what}:\n{error}"
        raise StackError(said) from None


# files


def stack_file(folder: Path, stack: Stack) -> Path:
    return folder / stack.file.name


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, encoding="utf-8", check=False)
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


@dataclass
class StackConfig:
    """What a stack file says: config by full key, without ``adopt`` (its IDs are those of production's objects), and
    the names of the ESC environments that add to it."""

    config: Content
    environments: list[str]


def config_of(folder: Path, stack: Stack) -> StackConfig | None:
    file = stack_file(folder, stack)
    if not file.is_file():
        return None
    content: Content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    environments, inline = esc_of(content.get("environment"))
    config = {f"{stack.project}:{key}": value for key, value in inline.items()} | (content.get("config") or {})
    return StackConfig({key: value for key, value in config.items() if key != f"{stack.project}:adopt"}, environments)


def esc_of(environment: Any) -> tuple[list[str], Content]:
    """Names of the ESC environments of a stack file, and what an environment that is written into it sets plainly."""
    if isinstance(environment, list):
        return [str(name) for name in environment], {}
    if not isinstance(environment, dict):
        return [], {}
    names = [str(name) for name in environment.get("imports") or []]
    settings = (environment.get("values") or {}).get("pulumiConfig") or {}
    plain = {str(key): value for key, value in settings.items() if isinstance(value, str | int | float | bool)}
    plain = {key.split(":", 1)[-1]: value for key, value in plain.items() if "${" not in str(value)}
    return names or ["in the stack file"], plain


def complete(old: StackConfig | None, new: StackConfig, stack: Stack) -> list[str]:
    """Fill in required settings that come from ESC: with the other side's value, else with a placeholder.

    Returns the keys of the placeholders.
    """
    sides = [side for side in (new, old) if side]
    instead = any(f"{stack.project}:platformToken" in side.config for side in sides)
    needed = {f"{stack.project}:{name}": KEYS[name] for name in NEEDED if not (instead and name in OAUTH)}
    known = {full: side.config[full] for side in sides for full in needed if full in side.config}
    absent: dict[str, None] = {}
    for side in sides:
        for full, key in needed.items():
            if side.environments and full not in side.config:
                name = full.split(":")[1]
                side.config[full] = known.get(full, {"secure": ""} if key.secret else PLAIN_PLACEHOLDERS[name])
                if full not in known:
                    absent[name] = None
    return list(absent)


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def at_home(config: Content, stack: Stack, address: str) -> Content:
    """The config with this local environment's address, where it names another one on this machine (the dev stack)."""
    url = urlsplit(str(config.get(f"{stack.project}:dynatraceEnvironmentUrl", "")))
    if url.hostname not in LOOPBACK:
        return config
    theirs, ours = f"{url.scheme}://{url.netloc}", f"http://{address}"
    return {key: value.replace(theirs, ours) if isinstance(value, str) else value for key, value in config.items()}


def values(config: Content, stack: Stack) -> Content:
    """Plain values by key, without the project's name; placeholders for required ones that are encrypted."""
    prefix = f"{stack.project}:"
    return PLAIN_PLACEHOLDERS | {
        key.removeprefix(prefix): value for key, value in config.items() if not is_secret(value)
    }


def rotations(old: Content, new: Content) -> set[str]:
    """Keys of the secrets that were set again: their encrypted texts differ."""
    return {key.split(":")[1] for key, value in new.items() if is_secret(value) and old.get(key, value) != value}


def write_config(folder: Path, stack: Stack, config: Content, encryption: Content) -> None:
    """The plain part of the config, with the scratch stack's own salt."""
    content: Content = {"config": {key: value for key, value in config.items() if not is_secret(value)}}
    if "encryptionsalt" in encryption:
        content["encryptionsalt"] = encryption["encryptionsalt"]
    stack_file(folder, stack).write_text(yaml.safe_dump(content), encoding="utf-8")
