"""``multipart/form-data``, read and written (RFC 7578)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser


@dataclass(frozen=True)
class Part:
    name: str
    content: bytes
    content_type: str = ""
    """Empty: the part names none."""
    filename: str | None = None

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """The parts of a body. Raises ValueError if it is not form data."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
        raise ValueError("The body must be multipart/form-data.")
    parts = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise ValueError("Each part needs a name and a content.")
        kind = str(part.get("content-type", ""))
        parts.append(Part(name, content, kind, part.get_filename()))
    return parts


def multipart(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Content-Type and body. The boundary follows from the content, so equal parts give equal bytes."""
    boundary = hashlib.sha256(b"\0".join(part.content for part in parts)).hexdigest()[:32]
    body = b""
    for part in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{quoted(part.name)}"'
        if part.filename is not None:
            head += f'; filename="{quoted(part.filename)}"'
        if part.content_type:
            head += f"\r\nContent-Type: {part.content_type}"
        body += head.encode("utf-8", "replace") + b"\r\n\r\n" + part.content + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def quoted(text: str) -> str:
    """As browsers write names (WHATWG)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
