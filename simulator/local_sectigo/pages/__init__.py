"""The connector page, and what the connector adds to the environment's other pages.

Reading order: ``ledger`` (what each run reported), ``delivery`` (which records arrived), ``health`` (the verdict),
``timeline`` (geometry), ``chain`` (runs that started each other), ``runtime_values`` and ``claims`` (what the vault
entries of a deployment say), ``connector`` (all of it), ``routes``, ``panels``.
"""
