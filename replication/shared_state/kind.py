"""Kind: one sort of rows of the shared state, declared by the feature that keeps them."""

from collections.abc import Callable, Mapping

from replication.codec import Codec, Form
from replication.domain.errors import MalformedError
from replication.shared_state.port import ControlRow


class Kind[T]:
    """The rows of one type; `name` is the partition that they stand in.

    `key` tells under which key a value stands, `forms` how fields are written that have a form of
    their own, and `names` those that are called otherwise in rows.
    """

    def __init__(
        self,
        name: str,
        shape: type[T],
        *,
        key: Callable[[T], str],
        forms: Mapping[str, Form] | None = None,
        names: Mapping[type, Mapping[str, str]] | None = None,
    ) -> None:
        self.name = name
        self.key = key
        self._codec = Codec(
            shape=shape,
            what=f"a {name} in the controls",
            forms={shape: forms or {}},
            names=names or {},
        )

    def write(self, value: T) -> ControlRow:
        """Return the row of a value."""
        document = self._codec.encode(value)
        return ControlRow(kind=self.name, key=self.key(value), document=document)

    def read(self, row: ControlRow) -> T:
        """Read a row; raises MalformedError."""
        value = self._codec.decode(row.document)
        if self.key(value) != row.key:
            raise MalformedError(f"the {self.name} under {row.key} is about {self.key(value)}")
        return value
