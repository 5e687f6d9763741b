"""Dynatrace over HTTP, without Pulumi.

Start at ``environment``: one per process, it owns the sessions, tokens, the vault listing and the preflight. ``scopes``
lists what each credential may need.
"""
