"""Verifies completeness: the IDs in SCM, per window, against those in Grail and against the run ledger.

``walk`` goes through the time range in windows and keeps one of them in memory; ``grail`` queries IDs by DQL;
``compare`` and ``coverage`` decide, without any network; ``report`` writes the table, the JSON and the commands that
resend what is missing.
"""
