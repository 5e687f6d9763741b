"""Dynatrace over HTTP, without Pulumi.

``environment`` is the way in: one per process, it owns the sessions, tokens, the vault listing and the pre-flight.
"""
