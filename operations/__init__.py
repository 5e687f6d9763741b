"""What an operator asks: ``python -m operations COMMAND --stack NAME``; the commands stand in ``__main__``.

Each command is a module with ``arguments`` and ``run``. They read through ``pulumi`` and the HTTP client of
``providers/api``, and, but for ``backfill``, ``import-config`` and ``adopt --write``, change nothing.
"""
