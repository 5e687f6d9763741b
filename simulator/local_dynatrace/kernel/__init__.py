"""What every API of the local environment uses: clock, store, identities, routing, faults.

Reading order: ``world`` (what there is), ``clock``, ``store``, ``identity``, ``routing`` (a request's way through
authentication, faults, handler and answer), ``faults``.
"""
