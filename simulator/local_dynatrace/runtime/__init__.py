"""The JavaScript runtime: scripts of workflows in processes of their own (facts: dynatrace-runtime 1, 2, 11).

Reading order: ``job`` (what is to run), ``sandbox`` (how a process is started, what it may touch), ``run`` (one process
from start to end), ``scripts`` (all of them), ``pace`` (the ``auto`` clock), ``egress`` and ``destinations`` (what its
fetch reaches), ``endings`` (what is told when it has ended); ``javascript/main.js`` is the other side.
"""
