"""Reports as files: S3, Azure Blob, Google Cloud Storage, SFTP and folders.

A file's name holds its days, and a second sending of one delivery writes the same name again: nothing is doubled.
Credentials come from where each SDK finds them (profile, role, environment, agent), never from the address.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jobs.dispatch import Parcel, SendError

if TYPE_CHECKING:
    from jobs.destinations import Destination


def folder(parcel: Parcel, to: Destination) -> str:
    """Write the files into a folder of this machine, each whole or not at all.

    Raises:
        SendError: the folder cannot be written.
    """
    place = Path(to.address)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file in parcel.files:
            part = place / f".{file.name}.{secrets.token_hex(4)}"
            part.write_bytes(file.body)
            part.replace(place / file.name)
    except OSError as error:
        raise SendError(f"{error.filename or place} cannot be written: {error.strerror}.") from error
    return f"{len(parcel.files)} files in {place}"


def s3(parcel: Parcel, to: Destination) -> str:
    """Put the files into a bucket: `s3://bucket/folder`.

    Raises:
        SendError: AWS refused or did not answer.
    """
    import boto3  # noqa: PLC0415 - heavy
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    bucket, lead = _split(to)
    try:
        client = boto3.client("s3")
        for file in parcel.files:
            client.put_object(Bucket=bucket, Key=f"{lead}{file.name}", Body=file.body, ContentType=file.media)
    except ClientError as error:
        found: Any = error.response.get("Error", {})
        code = str(found.get("Code"))
        needed = " The identity needs s3:PutObject on it." if code == "AccessDenied" else ""
        raise SendError(f"S3 refused to write to {bucket}: {code}, {found.get('Message')}.{needed}") from error
    except BotoCoreError as error:
        raise SendError(f"S3 could not be used: {error}.") from error
    return f"{len(parcel.files)} files in s3://{bucket}/{lead}"


def azure(parcel: Parcel, to: Destination) -> str:
    """Put the files into a container: `az://account/container/folder`.

    `AZURE_STORAGE_CONNECTION_STRING` is used where it is set, the Azure identity of the machine otherwise.

    Raises:
        SendError: Azure refused or did not answer.
    """
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - heavy
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415
    from azure.storage.blob import BlobServiceClient, ContentSettings  # noqa: PLC0415

    account, path = _split(to)
    container, _, lead = path.partition("/")
    if not container:
        raise SendError(f"The address {to.address} names no container.", final=True)
    try:
        if string := os.environ.get("AZURE_STORAGE_CONNECTION_STRING"):
            service = BlobServiceClient.from_connection_string(string)
        else:
            address = f"https://{account}.blob.core.windows.net"
            service = BlobServiceClient(address, credential=DefaultAzureCredential())
        with service:
            for file in parcel.files:
                blob = service.get_blob_client(container, f"{lead}{file.name}")
                blob.upload_blob(file.body, overwrite=True, content_settings=ContentSettings(content_type=file.media))
    except (AzureError, ValueError) as error:
        raise SendError(f"Azure refused to write to {account}/{container}: {_first_line(error)}") from error
    return f"{len(parcel.files)} files in az://{account}/{path}"


def gcs(parcel: Parcel, to: Destination) -> str:
    """Put the files into a bucket: `gs://bucket/folder`.

    Raises:
        SendError: Google Cloud refused or did not answer.
    """
    from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415 - heavy
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.cloud import storage  # noqa: PLC0415

    bucket, lead = _split(to)
    try:
        if os.environ.get("STORAGE_EMULATOR_HOST"):
            client = storage.Client.create_anonymous_client()
        else:
            client = storage.Client()
        place = client.bucket(bucket)
        for file in parcel.files:
            place.blob(f"{lead}{file.name}").upload_from_string(file.body, content_type=file.media)
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        raise SendError(f"Google Cloud Storage refused to write to {bucket}: {_first_line(error)}") from error
    return f"{len(parcel.files)} files in gs://{bucket}/{lead}"


def sftp(parcel: Parcel, to: Destination) -> str:
    """Put the files onto an SFTP server: `sftp://user@host:22/folder`; keys from the agent or `~/.ssh`.

    The server must be in `~/.ssh/known_hosts`.

    Raises:
        SendError: the server refused, is not known, or did not answer.
    """
    import paramiko  # noqa: PLC0415 - heavy

    parts = urlsplit(to.address)
    place = parts.path.rstrip("/") or "."
    try:
        with paramiko.SSHClient() as client:
            client.load_system_host_keys()
            client.set_missing_host_key_policy(paramiko.RejectPolicy())
            client.connect(
                parts.hostname or "", parts.port or 22, parts.username, parts.password, timeout=30, banner_timeout=30
            )
            with client.open_sftp() as files:
                for file in parcel.files:
                    part = f"{place}/.{file.name}.{secrets.token_hex(4)}"
                    with files.open(part, "wb") as out:
                        out.write(file.body)
                    files.posix_rename(part, f"{place}/{file.name}")
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise SendError(f"The SFTP server {parts.hostname} refused: {_first_line(error)}") from error
    return f"{len(parcel.files)} files in {to.shown}"


def _split(to: Destination) -> tuple[str, str]:
    """Bucket or account, and the folder with a slash behind it."""
    parts = urlsplit(to.address)
    lead = parts.path.strip("/")
    return parts.netloc, f"{lead}/" if lead else ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
