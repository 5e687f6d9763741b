"""How this repository is worked on: setup, checks, long campaigns, benchmarks."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
