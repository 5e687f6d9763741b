"""What is claimed to be fast, measured: each module prints a table and writes build/bench/NAME.json."""
