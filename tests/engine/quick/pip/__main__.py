"""Put first on PYTHONPATH: the answer to ``pip list``, by which each Pulumi command looks for plugins in packages.

None of ours does, and the real answer takes a quarter of a command's time.
"""

print("[]")
