"""Sectigo Certificate Manager for the local environment: its audit API, an invented company, the connector page.

A plug-in of ``local_dynatrace`` (see ``plugin``). Reading order: ``scm`` (the API and its records), ``pages`` (what
the connector does with them), ``plugin`` (what hangs where), ``testing`` (helpers for tests).
"""
