"""A server that refuses every connection with one SQLSTATE and a German message, by the startup protocol (53.2.1)."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
CLEARTEXT_PASSWORD = b"R" + struct.pack("!II", 8, 3)

MESSAGES = {
    "08P01": "ungültiges Startpaket",
    "28000": "kein pg_hba.conf-Eintrag für Host »127.0.0.1«",
    "28P01": "Passwort-Authentifizierung für Benutzer »u« fehlgeschlagen",
    "3D000": "Datenbank »d« existiert nicht",
    "42501": "keine Berechtigung für Datenbank »d«",
    "53300": "tut mir leid, schon zu viele Verbindungen",
    "55000": "Datenbank »d« akzeptiert gegenwärtig keine Verbindungen",
    "57P01": "Verbindung wird abgebrochen aufgrund von Anweisung des Administrators",
    "57P03": "das Datenbanksystem startet",
    "XX000": "interner Fehler",
}


class RefusingServer:
    """Listens on a port of 127.0.0.1 until the `with` block ends; `attempts` counts the startup packets.

    Without a SQLSTATE it closes each connection after the startup packet. With `password` it asks for one first.
    """

    def __init__(self, sqlstate: str, *, password: bool = False) -> None:
        self.sqlstate = sqlstate
        self.password = password
        self.attempts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError, struct.error):
                    self._refuse(client)

    def _refuse(self, client: socket.socket) -> None:
        while _startup_code(client) in {SSL_REQUEST, GSS_REQUEST}:
            client.sendall(b"N")
        self.attempts += 1
        if self.password:
            client.sendall(CLEARTEXT_PASSWORD)
            client.recv(1024)
        if self.sqlstate:
            client.sendall(error_response(self.sqlstate))


def _startup_code(client: socket.socket) -> int:
    length, code = struct.unpack("!II", client.recv(8, socket.MSG_WAITALL))
    client.recv(length - 8, socket.MSG_WAITALL)
    return int(code)


def error_response(sqlstate: str) -> bytes:
    """Return an ErrorResponse: severity, translated or not (fields S and V), SQLSTATE (C) and message (M)."""
    fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": MESSAGES[sqlstate]}
    body = b"".join(f"{name}{text}".encode() + b"\0" for name, text in fields.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body
