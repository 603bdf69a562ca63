"""The retry policy of calls that are not ARM's: bounded in how often, and in how long it waits."""

import math
from typing import Any

from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse


class BoundedRetry(RetryPolicy[HttpRequest, HttpResponse]):
    """Waits as long as the service asks for, and gives up where that is longer than allowed."""

    def __init__(self, *, tries: int = 0, longest_wait_s: float = 0.0, **settings: Any) -> None:
        """Try again so often, after pauses of `longest_wait_s` at most that are asked for."""
        self.longest_wait_s = longest_wait_s
        kinds = ("retry_total", "retry_connect", "retry_read", "retry_status")
        super().__init__(**dict.fromkeys(kinds, tries), **settings)

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Return the pause that was asked for, None for none and for one that cannot be read."""
        try:
            wait_s = super().get_retry_after(response)
        except ValueError:
            return None
        return wait_s if wait_s is not None and math.isfinite(wait_s) else None

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Tell whether to try again."""
        wait_s = self.get_retry_after(response)
        if wait_s is not None and wait_s > self.longest_wait_s:
            return False
        return bool(super().is_retry(settings, response))
