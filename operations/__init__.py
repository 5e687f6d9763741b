"""Day-two commands: ``python -m operations COMMAND --stack NAME``. ``__main__`` lists them.

Each command is a module with ``arguments`` and ``run``. They read through Pulumi's Automation API and the HTTP client
of ``providers/api``. Only ``backfill``, ``import-config`` and ``adopt --write`` change anything.
"""
