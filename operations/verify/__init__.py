"""``verify``: ask a real environment whether the facts hold that nobody could confirm yet.

Reading order: ``facts`` (what is claimed, and which line to change), ``probe`` (recorded calls), ``vault``,
``workflows``, ``access``, ``logs``, ``scm`` (the checks), ``recording`` (what is kept, scrubbed), ``command``.

Each check works on objects of its own with a scratch name, and removes them. None of them touches the connector's
objects, the allowlist or another team's.
"""
