"""What leaves this process for a storage emulator: requests, and the rows in their answers."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from azure.storage.queue import QueueClient

from tests.support.localcloud.hosts import ready_line, start_localcloud


@contextmanager
def running_storage() -> Iterator[str]:
    """Start an emulator and give its connection string."""
    with start_localcloud("storage", "--port-base", "0") as process:
        try:
            yield str(ready_line(process)["storage"])
        finally:
            process.terminate()
            process.wait(60)


@dataclass(slots=True)
class Sent:
    """Requests and rows by the service and what they are about, such as `table history`."""

    requests: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)


class Wire:
    """Counts what is sent to one storage."""

    def __init__(self, storage: str) -> None:
        pairs = (part.split("=", 1) for part in storage.split(";") if "Endpoint=" in part)
        self._kinds = {
            urlsplit(url).port: kind.removesuffix("Endpoint").lower() for kind, url in pairs
        }

    @contextmanager
    def counting(self) -> Iterator[Sent]:
        sent = Sent()
        send = requests.Session.send

        def counted(session: requests.Session, request: Any, **options: Any) -> requests.Response:
            parts = urlsplit(request.url)
            about = parts.path.split("/")[2].partition("(")[0]
            name = f"{self._kinds[parts.port]} {about}"
            answer = send(session, request, **options)
            sent.requests[name] += 1
            sent.rows[name] += rows_in(answer)
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(requests.Session, "send", counted)
            yield sent


def rows_in(answer: requests.Response) -> int:
    """Count the rows that an answer holds, none where it holds something else."""
    if "json" not in answer.headers.get("Content-Type", ""):
        return 0
    document = answer.json()
    return len(document["value"]) if "value" in document else 1


OpenQueue = Callable[[str], QueueClient]
