"""What watches the connector in Dynatrace: the dashboard, the anomaly detectors and the notification workflow.

The sources are YAML: ``dashboard.yaml`` (tiles in rows), ``detectors.yaml``, ``notification.yaml`` and ``actions.yaml``
(the words that SCM's actions are recognised by). ``words`` turns the words into DQL; ``dashboard``, ``detectors`` and
``notification`` turn the rest into what the APIs take. Pure: no clock, no network, no Pulumi.
"""
