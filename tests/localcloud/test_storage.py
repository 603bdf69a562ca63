"""The storage emulator: its connection string, its start and its stop."""

import asyncio
import socket
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient

from localcloud.parts import free_port_block, require_free
from localcloud.process import StartError
from localcloud.storage import (
    emulator_command,
    start_storage,
    storage_connection_string,
)
from tests.support.localcloud.hosts import ready_line, run_localcloud, start_localcloud


def test_the_connection_string_names_three_neighbouring_ports() -> None:
    text = storage_connection_string(20000)
    assert "BlobEndpoint=http://127.0.0.1:20000/devstoreaccount1;" in text
    assert "QueueEndpoint=http://127.0.0.1:20001/devstoreaccount1;" in text
    assert "TableEndpoint=http://127.0.0.1:20002/devstoreaccount1;" in text


def test_the_vendors_clients_are_served_and_a_state_directory_survives_a_restart(
    tmp_path: Path,
) -> None:
    for run in (1, 2):
        with start_localcloud("storage", "--port-base", "0", "--state", str(tmp_path)) as process:
            try:
                connection = ready_line(process)["storage"]
                with (
                    QueueClient.from_connection_string(connection, "kept") as queue,
                    TableServiceClient.from_connection_string(connection) as tables,
                ):
                    if run == 1:
                        queue.create_queue()
                        queue.send_message("x")
                        tables.create_table("kept")
                    assert [message.content for message in queue.peek_messages()] == ["x"]
                    assert [table.name for table in tables.list_tables()] == ["kept"]
            finally:
                process.terminate()
        assert process.returncode == 0


def test_without_a_state_directory_the_emulator_keeps_nothing_on_disk() -> None:
    script = Path("a/node_modules/azurite/dist/src/azurite.js")
    command = emulator_command(script, range(5, 8), None)
    assert "--inMemoryPersistence" in command
    assert command[-6:] == ["--blobPort", "5", "--queuePort", "6", "--tablePort", "7"]


def test_an_emulator_that_is_not_installed_points_to_make_setup(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="run `make setup`"):
        asyncio.run(start_storage(port_base=0, folder=tmp_path))


def test_an_emulator_that_dies_at_start_is_shown_with_its_last_lines(tmp_path: Path) -> None:
    script = tmp_path / "node_modules/azurite/dist/src/azurite.js"
    script.parent.mkdir(parents=True)
    script.write_text("console.error('no room'); process.exit(3)", encoding="utf-8")
    (tmp_path / "exit_with_parent.cjs").write_text("", encoding="utf-8")
    with pytest.raises(StartError, match=r"(?s)storage ended with exit code 3.*no room"):
        asyncio.run(start_storage(port_base=0, folder=tmp_path))


def test_a_port_in_use_is_named_before_anything_starts() -> None:
    base = free_port_block(3)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 1))
        taken.listen()
        ended = run_localcloud("storage", "--port-base", str(base))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"port {base + 1} is in use" in ended.stderr
    require_free(range(base, base + 3), hint="wait")
