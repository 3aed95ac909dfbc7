"""Azurite, Microsoft's own emulator of Blob Storage, started by the test that needs it; it takes Entra tokens."""

from __future__ import annotations

import base64
import ipaddress
import os
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from azure.storage.blob import BlobServiceClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "acmecosts"
KEY = base64.b64encode(b"a key of the emulator, no secret").decode()


@dataclass
class Azurite:
    """The emulator; a context manager. It speaks HTTPS with a certificate of its own, since tokens need that."""

    folder: Path

    def __enter__(self) -> Self:
        self.port = free_port()
        self.certificate, key = _certificate(self.folder)
        binary = ROOT / ".venv" / "azurite" / "node_modules" / ".bin" / "azurite-blob"
        assert binary.exists(), "Azurite is not here: run tests/setup.sh"
        self._process = subprocess.Popen(
            [
                *(binary, "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--inMemoryPersistence"),
                *("--silent", "--skipApiVersionCheck", "--disableTelemetry", "--oauth", "basic"),
                *("--cert", str(self.certificate), "--key", str(key)),
            ],
            cwd=self.folder,
            env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, "Azurite ended"
                assert time.monotonic() < deadline, "Azurite does not answer"
                time.sleep(0.1)
            else:
                return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint=https://127.0.0.1:{self.port}/{ACCOUNT}"
        )

    @property
    def trust(self) -> ssl.SSLContext:
        """Trusts its certificate alone."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def service(self) -> BlobServiceClient:
        """A client with the account's key, as the account's owner."""
        return BlobServiceClient.from_connection_string(
            self.connection_string, connection_verify=str(self.certificate), retry_total=0
        )

    def clear(self) -> None:
        """No container at all."""
        with self.service() as service:
            for container in service.list_containers():
                service.delete_container(container.name)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 of a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Azurite of a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    places = folder / "azurite.pem", folder / "azurite.key"
    places[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    places[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return places
