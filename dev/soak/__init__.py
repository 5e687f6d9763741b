"""Long campaigns (`make soak`): each module is one, `python -m soak.NAME`, and writes build/soak/NAME.json."""
