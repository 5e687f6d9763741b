"""The JavaScript runtime: scripts of workflows in processes of their own (facts: dynatrace-runtime 1, 2, 11).

Reading order: ``sandbox`` (how a process is started, what it may touch), ``modules`` (what it can import), ``run``
(one process from start to end), ``scripts`` (all of them), ``pace`` (the ``auto`` clock), ``egress`` and
``destinations`` (what its fetch reaches), ``endings`` (how an end is reported); ``javascript/main.js`` is the other
side. It runs whatever ``kernel.scripts.Job`` it is given and knows nothing of workflows.
"""
