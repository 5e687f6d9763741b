"""Long campaigns (`make soak`): each module is one, `python -m dev.soak.NAME`, and writes build/soak/NAME.json."""
