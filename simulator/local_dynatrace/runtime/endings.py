"""What a script's end means for its task: state, and the text that says why.

Read in a user's report (facts: dynatrace-api 5.4; TF#387):
``An error occurred: {"code":540,"message":"Execution crashed.","details":
{"type":"UNCAUGHT_EXCEPTION",…}}``. All other texts, and that they stand in ``stateInfo``, are UNVERIFIED; they are
written here and nowhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

JAVASCRIPT_ERROR = 540
"""The function executor's status for an error in JavaScript (facts: dynatrace-runtime 2)."""


@dataclass(frozen=True)
class Ending:
    state: str
    state_info: str | None = None
    result: Any = None


def succeeded(result: Any) -> Ending:
    return Ending("SUCCESS", None, result)


def failed(code: int, message: str, details: dict[str, Any]) -> Ending:
    error = {"code": code, "message": message, "details": details}
    return Ending("ERROR", "An error occurred: " + json.dumps(error, ensure_ascii=False, separators=(",", ":")))


def crashed(name: str, message: str, stack: str) -> Ending:
    details = {"type": "UNCAUGHT_EXCEPTION", "name": name, "message": message, "stack": stack}
    return failed(JAVASCRIPT_ERROR, "Execution crashed.", details)


def out_of_time(limit_s: float) -> Ending:
    return failed(JAVASCRIPT_ERROR, f"Execution exceeded the time limit of {limit_s:g} s.", {"type": "TIMEOUT"})


def out_of_memory(limit_mb: int) -> Ending:
    return failed(JAVASCRIPT_ERROR, f"Execution exceeded the memory limit of {limit_mb} MB.", {"type": "OUT_OF_MEMORY"})


def killed() -> Ending:
    return failed(JAVASCRIPT_ERROR, "Execution crashed.", {"type": "KILLED"})


def result_too_large(size: int, limit: int) -> Ending:
    return failed(JAVASCRIPT_ERROR, f"The result has {size} bytes, more than {limit}.", {"type": "RESULT_TOO_LARGE"})


def script_too_large(size: int, limit: int) -> Ending:
    """About 5 MB is documented (facts: dynatrace-runtime 1, S1); that it is checked at the start is UNVERIFIED."""
    return failed(413, f"The script has {size} bytes, more than {limit}.", {"type": "SCRIPT_TOO_LARGE"})


def too_many(limit: int) -> Ending:
    """Refused at the start: 429 is documented, how many may run is not (facts: dynatrace-runtime 1)."""
    return failed(429, "Too many requests.", {"type": "TOO_MANY_FUNCTION_CALLS", "limit": limit})
