"""What script authors read instead of Deno's messages, which name its flags and files of this machine.

The platform's own texts are unknown: every text here is UNVERIFIED.
"""

from __future__ import annotations

import re

NOT_ALLOWED = {
    "read": "Access to files is not allowed in the Dynatrace JavaScript runtime",
    "write": "Access to files is not allowed in the Dynatrace JavaScript runtime",
    "net": "Network access other than fetch is not allowed in the Dynatrace JavaScript runtime",
    "env": "Access to environment variables is not allowed in the Dynatrace JavaScript runtime",
    "run": "Starting processes is not allowed in the Dynatrace JavaScript runtime",
    "sys": "Access to system information is not allowed in the Dynatrace JavaScript runtime",
    "": "This operation is not allowed in the Dynatrace JavaScript runtime",
}
"""By the permission that is missing; the last one is for all others. ``main.js`` puts them into the errors."""
NO_URL_IMPORTS = "imports from URLs are not part of the local environment"
NOT_FOUND = r'Module "\1" not found.'
TRANSLATIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"^error: (?:Uncaught )?(?:\(in promise\) )?", ""),
        (r"npm specifiers were requested; but --no-npm is specified", "Modules from npm cannot be imported"),
        (r"JSR package manifest for '([^']+)' failed to load\.(?: A remote .* is specified\.)?", NOT_FOUND),
        (r'A remote specifier was requested: ("[^"]*"), but --no-remote is specified', rf"Module \1: {NO_URL_IMPORTS}"),
        (r'Import "([^"]*)" not a dependency and not in import map from "[^"]*"', NOT_FOUND),
        # A file of this machine, by the import map of the sandbox.
        (r'Unsupported scheme "dt-missing" for module "dt-missing:/*([^"]*)"[^\n]*(?:\n - "\w+")*', NOT_FOUND),
        (r"\n +hint: [^\n]*", ""),
        (r"Requires \w+ access[^\n]*?, run again with the --allow-\w+ flag", NOT_ALLOWED[""]),
    )
)
INTERNAL_FRAME = re.compile(r" +at (?:[^\n]*\()?(?:ext|node):[^\n]*")


def translated(text: str) -> str:
    """One of Deno's messages without its flags, hints and internal stack frames."""
    for pattern, replacement in TRANSLATIONS:
        text = pattern.sub(replacement, text)
    return "\n".join(line for line in text.split("\n") if not INTERNAL_FRAME.fullmatch(line))
