"""How an audit record looks on the wire. The field names are not public: derived (facts: sectigo 2.2 [D])."""

from __future__ import annotations

import json
from typing import Any

from local_dynatrace.kernel import rfc3339

from .stories import Event

CUSTOMER_ID = 31846


def record(event: Event) -> dict[str, Any]:
    """The JSON object of one event; a system event has no actor and no address."""
    body: dict[str, Any] = {
        "id": event.id,
        "timestamp": rfc3339.from_us(event.at_us),
        "type": "LOG",
        "service": event.service,
        "action": event.action,
        "category": event.category,
        "status": event.status,
        "customerId": CUSTOMER_ID,
        "objectType": event.object_type,
        "objectId": event.object_id,
        "objectName": event.object_name,
        "details": event.details,
    }
    if event.actor:
        body["actor"] = event.actor
    if event.ip:
        body["ip"] = event.ip
    return body


def text(body: Any) -> str:
    """JSON text that is always valid UTF-8: a lone surrogate stays an escape sequence."""
    plain = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        plain.encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":"))
    return plain
