"""What is no call of the API is told as everything else there: in problem details."""

import pytest

from handlers.http.not_found import no_such_call
from tests.support.fakes import World
from tests.support.http.calling import call, sign_in


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_a_call_that_is_none_is_named_and_where_the_others_are(world: World, method: str) -> None:
    assert world.store.rows == {}
    answer = call(no_such_call, route={"rest": "v1/nope"}, method=method)
    assert answer.status == 404
    told = f"there is no call {method} /api/v1/nope; docs/api.md lists those there are"
    assert answer.detail == told


def test_a_stranger_is_told_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.store.rows == {}
    sign_in(monkeypatch)
    assert call(no_such_call, route={"rest": "v1/nope"}).status == 401
