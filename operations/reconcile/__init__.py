"""Proof of completeness: ids in SCM, per window, against what is in Grail and against the run ledger.

``walk`` goes through the time in windows and keeps one of them in memory; ``grail`` asks for ids by DQL; ``compare``
and ``coverage`` decide, without any network; ``report`` writes the table, the JSON and the commands that repair.
"""
