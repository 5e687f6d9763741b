"""Earlier answers to reads, for the fault ``stale``: a replica that has not seen the last writes yet."""

from __future__ import annotations

from collections import OrderedDict

from .routing import Answer

APIS = ("vault", "settings", "automation")
"""Those that read what clients write."""
MOST_ANSWERS, LONGEST = 200, 64 * 1024
STATUSES = (200, 404)


class Earlier:
    """The last answer to each read, up to a limit; in memory only, like the rules."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()

    def keep(self, path: str, query: bytes, answer: Answer) -> Answer:
        """Remember an answer; returns it encoded, so that this is done once."""
        if answer.status not in STATUSES:
            return answer
        content, headers = answer.encoded()
        answer = Answer(answer.status, content or None, headers)
        if len(content) <= LONGEST:
            self._answers[path, query] = answer
            self._answers.move_to_end((path, query))
            if len(self._answers) > MOST_ANSWERS:
                self._answers.popitem(last=False)
        return answer

    def instead_of(self, path: str, query: bytes, answer: Answer) -> Answer:
        """The previous answer; the present one if there is none, or if the caller may not read."""
        return self._answers.get((path, query), answer) if answer.status in STATUSES else answer

    def clear(self) -> None:
        self._answers.clear()
