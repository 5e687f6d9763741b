#!/bin/sh
# Run the setup with the first Python that starts, is new enough and can make virtual environments. Version managers
# put shims on PATH that fail if their version is missing, so one broken candidate must not end the search.
# Usage: [PYTHON=...] dev/toolchain/setup.sh [deploy|up|test]
set -u

candidates() {
  if [ -n "${PYTHON:-}" ]; then
    command -v "$PYTHON"
    return
  fi
  echo .venv/bin/python # quick to start, and the right one for as long as it works
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    (IFS=: && for folder in $PATH; do echo "$folder/$name"; done)
  done
}

first() { # CODE: the first candidate that is able to run it
  candidates | while read -r python; do
    if [ -x "$python" ] && "$python" -c "$1" >/dev/null 2>&1; then
      echo "$python"
      break
    fi
  done
}

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
python=$(first "import ensurepip, venv; $new_enough")
# One without venv is told what it lacks.
python=${python:-$(first "$new_enough")}
if [ -z "$python" ]; then
  echo "setup: no working Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3 ..." >&2
  exit 1
fi
exec "$python" -m dev.toolchain.setup "$@"
