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
====================  ==========================  ================================================

``lifecycle`` holds what all of them share, ``configuration`` reads and checks the stack config, ``api`` speaks HTTP
and knows nothing of Pulumi. Module and class names are part of every stack's state: they are not renamed.
"""
