"""Every way a deployment can fail, as a tree::

    DynatraceError             base: what failed, on which object, what to do next
    ├── ApiError               Dynatrace answered with an error (status, method, path, reference)
    │   ├── NotFound           404
    │   └── Conflict           409: somebody changed the object in between
    ├── TransportError         no answer: the request may or may not have taken effect
    ├── EngineGone             Pulumi's engine was killed: what would be written now could not be recorded
    ├── LoginFailed            SSO refused the OAuth client, or a platform token lacks scopes
    ├── ScmRefused             SCM refused its client
    ├── PreflightFailed        tokens, scopes or addresses are not what the deployment needs
    ├── Refused                we refuse: the object is not ours, or there are two of it
    └── RunFailed              the workflow ran and failed

No message ever contains a secret: all text from outside passes ``redaction`` first.
"""

from __future__ import annotations


class DynatraceError(Exception):
    """Base of all. ``str()`` is one paragraph for the person who reads the output of ``pulumi up``."""


class ApiError(DynatraceError):
    """An answer that is an error.

    ``reference`` is Dynatrace's error ID (``errorRef``, ``issueId``), to quote to its support, or empty.
    """

    def __init__(self, method: str, path: str, status: int, text: str, reference: str = "", hint: str = "") -> None:
        self.method, self.path, self.status, self.text, self.reference = method, path, status, text, reference
        self.hint = hint
        shown = f"{method} {path} answered {status}: {text or 'no text'}"
        if reference:
            shown += f" (reference {reference})"
        super().__init__(f"{shown}. {hint}" if hint else shown)


class NotFound(ApiError):
    """404: the object is gone, or never existed."""


class Conflict(ApiError):
    """409: the object has changed since it was read."""


class TransportError(DynatraceError):
    """No answer arrived; a write may have taken effect anyway."""


class EngineGone(DynatraceError):
    """The Pulumi engine was killed; its provider process writes nothing more."""


class LoginFailed(DynatraceError):
    """The OAuth client could not get an access token with these scopes, or the platform token does not have them."""


class ScmRefused(DynatraceError):
    """SCM's sign-on does not know the client that the stack config names."""


class PreflightFailed(DynatraceError):
    """A prerequisite of the deployment is missing; nothing has been written."""


class Refused(DynatraceError):
    """Continuing would touch an object that is not ours."""


class RunFailed(DynatraceError):
    """The workflow was deployed and ran, and the run failed."""
