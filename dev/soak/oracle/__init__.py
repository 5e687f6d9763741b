"""The oracle of the sync script: seeded worlds of faults, and what must hold in each (javascript/oracle.js).

Reading order: ``javascript/schedule.js`` (what happens in a world, as data), ``world.js``, ``scm.js``, ``vault.js``,
``ingest.js`` (who answers), ``process.js`` and ``doors.js`` (one running script and what it sees), ``timeline.js``
(virtual time), ``oracle.js`` (the judge); ``driver.py`` plays many worlds, ``real.py`` one in the local environment.
"""
