"""The Dynatrace objects of a deployment as Pulumi resources, in the order of the manual's steps.

====================  ==========================  ================================================
manual step           resource                    module
====================  ==========================  ================================================
2                     OutboundAllowlist           ``allowlist``
3, 4                  UserCredential,             ``credential``
                      TokenCredential
5, 6                  StateCredential             ``credential``
7                     ConfigCredential            ``credential``
8, 9, 10              Workflow                    ``workflow``
11                    WorkflowRun                 ``workflow_run``
if asked for          Dashboard                   ``dashboard``
if asked for          AnomalyDetector             ``anomaly_detector``
if asked for          Notification                ``notification``
====================  ==========================  ================================================

Layers, lowest first; each knows only those before it (the import contracts in pyproject.toml check this):

* ``parts``, ``rules``, ``configuration``: what a connector consists of; the stack config, checked;
* ``api``: Dynatrace over HTTP, without Pulumi; ``api.scopes`` lists what each credential needs;
* ``claims``, ``ownership``, ``recovery``: whose an object is, and which existing one is used;
* ``lifecycle``, ``workflow_form``, ``workflow_stop``: what the resources share, and the workflow's two halves;
* the resources of the table.

``sdk_internals`` holds what relies on undocumented parts of Pulumi's SDK. Names of the table's modules and classes are
stored in every stack's state and never change.
"""
