"""The retries of calls to the storage, as tenacity controllers: fresh ones for every step."""

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from replication.domain.errors import RecordChangedError, TransientError


def contention_retries() -> Retrying:
    """Retry a lost compare-and-swap or a storage blip: at most 8 tries within 10 s."""
    return Retrying(
        retry=retry_if_exception_type((RecordChangedError, TransientError)),
        stop=stop_after_attempt(8) | stop_after_delay(10),
        wait=wait_random_exponential(multiplier=0.02, max=1),
        reraise=True,
    )


def blip_retries() -> Retrying:
    """Retry a storage blip: at most 4 tries within 8 s; the queue's own redelivery comes after."""
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(4) | stop_after_delay(8),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        reraise=True,
    )
