"""What the commands around a signed proof do and print."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from accounts.home import Settings, lake_address
from reports.proof.canonical import Difference, DocumentError
from reports.proof.verification import Verification, verify
from ui.console import print_json, print_table, say_out

# What only one of these commands needs is imported there, so that `verify` answers within a second.
if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from reports.proof.issue import Proof

_BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `verify` is to look at besides the file.

    Attributes:
        revocations: the issuer's list.
        issuer: thumbprint that the issuer told.
        signature: of an XLSX or CSV file.
        tsa_roots: certificates of time-stamping authorities, PEM.
        online: whether to read the list where the proof says that it is.
    """

    revocations: Path | None = None
    issuer: str | None = None
    signature: Path | None = None
    tsa_roots: Path | None = None
    online: bool = False


def print_verification(settings: Settings, file: Path, asked: Asked, *, as_json: bool) -> bool:
    """Check a proof and print what was found; whether it is valid."""
    from reports.proof.revocation import hold_against  # noqa: PLC0415

    roots = _roots(asked.tsa_roots) if asked.tsa_roots else ()
    found = _of_issuer(settings, verify(file, asked.signature, roots), asked.issuer)
    if found.wrong is None and (asked.revocations is not None or asked.online):
        content = asked.revocations.read_bytes() if asked.revocations else _online(found)
        found = hold_against(found, content)
    if as_json:
        print_json({"file": str(file), **found.record()})
        return found.valid
    say_out(found.summary)
    if found.wrong is None:
        _print_about(found)
    for note in found.notes:
        say_out(f"  {note}")
    return found.valid


def print_reproduction(settings: Settings, file: Path, workspace: str | None, *, as_json: bool) -> bool:
    """Measure a proof again and print what came out; whether everything came out as signed."""
    from ledger.lake import Lake  # noqa: PLC0415
    from reports.proof.reproduction import reproduce  # noqa: PLC0415

    checked = verify(file)
    owner = workspace or _issuers(settings).get(str(_issuer(checked)))
    lake_home = lake_address(settings, owner) if owner and checked.kind != "zip" else None
    if lake_home is not None:
        with Lake(lake_home) as lake:
            found = reproduce(file, lake)
    else:
        found = reproduce(
            file, None, "" if checked.kind == "zip" else "The ledger that it cites is not on this machine."
        )
    if as_json:
        print_json({"file": str(file), **found.record()})
        return found.same
    if not found.verification.valid:
        say_out(found.verification.summary)
        return False
    for figure in found.differences[:20]:
        say_out(f"{figure.path}: signed {figure.signed}, now {figure.found}")
    count, different = len(found.compared), len(found.differences)
    sources = " and ".join(found.sources)
    say_out(
        f"Reproduced from the {sources}: all {count:,} figures came out as signed."
        if found.same
        else f"Not reproduced from the {sources}: {different:,} of {count:,} figures came out otherwise."
    )
    for note in found.notes:
        say_out(f"  {note}")
    return found.same


def print_rendered(
    settings: Settings,
    key: str,
    formats: Sequence[str],
    folder: Path,
    workspace: str | None,
    *,
    rows: bool,
    as_json: bool,
) -> None:
    """Write a proof as files and print their names."""
    from ledger.lake import Lake  # noqa: PLC0415
    from reports.proof import keys  # noqa: PLC0415
    from reports.proof.bundle import bundle  # noqa: PLC0415
    from reports.proof.issue import FORMATS, NoProofError, files  # noqa: PLC0415

    if unknown := [name for name in formats if name not in {*FORMATS, _BUNDLE}]:
        raise NoProofError(f"A proof is not written as {unknown[0]!r}; it is as {', '.join((*FORMATS, _BUNDLE))}.")
    name = workspace or settings.workspace
    proof = stored(settings, name, key)
    stem = f"proof-{proof.document['id']}"
    plain = [format_ for format_ in formats if format_ != _BUNDLE]
    made = files(proof, keys.signer(settings, name, datetime.now(UTC)), plain, stem)
    if _BUNDLE in formats:
        with Lake(lake_address(settings, name)) as lake:
            made[f"{stem}.zip"] = bundle(proof, lake, rows=rows)
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in made.items():
        (folder / file).write_bytes(content)
    if as_json:
        print_json([{"file": str(folder / file), "bytes": len(content)} for file, content in made.items()])
    else:
        for file in made:
            say_out(str(folder / file))


def stored(settings: Settings, workspace: str, key: str) -> Proof:
    """The signed proof that an id, or its beginning, names.

    Raises:
        RecordError: there is none, or it is a draft.
    """
    from reports.proof.issue import loaded  # noqa: PLC0415
    from reports.records import RecordError, Store  # noqa: PLC0415

    record = Store(settings, workspace).proof(key)
    if record.document is None:
        raise RecordError(f"Proof {record.id} is a draft without a signature; make it again with spendproof prove.")
    return loaded(record.document.encode())


def print_issuer(settings: Settings, workspace: str | None, *, as_json: bool) -> None:
    """The issuer's thumbprint and keys."""
    from reports.proof import keys  # noqa: PLC0415

    name = workspace or settings.workspace
    found = keys.signer(settings, name, datetime.now(UTC))
    listed = keys.published(settings, name)
    if as_json:
        print_json({"workspace": name, "issuer": found.issuer, "keys": listed})
        return
    say_out(f"Tell customers this thumbprint, by another way than the proofs take: {found.issuer}")
    rows = [(key["kid"], key["valid_from"], key["valid_to"] or "still signs") for key in listed]
    print_table(("key", "from", "to"), rows)


def rotate(settings: Settings, workspace: str | None, *, as_json: bool) -> None:
    """Let a fresh key sign."""
    from reports.proof import keys  # noqa: PLC0415

    keys.rotate(settings, workspace or settings.workspace, datetime.now(UTC))
    print_issuer(settings, workspace, as_json=as_json)


def renew(settings: Settings, workspace: str, typed: str, *, as_json: bool) -> None:
    """Begin a new line of keys, once the workspace's name was typed."""
    from reports.proof import keys  # noqa: PLC0415

    if typed.strip() != workspace:
        raise keys.KeysError(f"{typed.strip()!r} is not the name of the workspace, so its keys stay as they are.")
    keys.renew(settings, workspace, datetime.now(UTC))
    print_issuer(settings, workspace, as_json=as_json)


def revoke(settings: Settings, key: str, reason: str, workspace: str | None, *, as_json: bool) -> None:
    """Revoke a proof."""
    from reports.claim import State  # noqa: PLC0415
    from reports.records import RecordError, Store  # noqa: PLC0415

    if not reason.strip():
        raise RecordError("A revocation needs its reason, which everybody who holds the proof will read.")
    store = Store(settings, workspace or settings.workspace)
    record = store.set_state(store.proof(key).id, State.REVOKED, reason.strip())
    if as_json:
        print_json({"id": record.id, "state": record.state, "reason": record.reason})
    else:
        say_out(f"Proof {record.id} is revoked. Publish the list: spendproof issuer revocations --out revocations.json")


def print_revocations(settings: Settings, file: Path, workspace: str | None, *, as_json: bool) -> None:
    """Write the signed list."""
    from reports.proof.issue import loaded  # noqa: PLC0415
    from reports.standing import revocations  # noqa: PLC0415

    content = revocations(settings, workspace or settings.workspace, datetime.now(UTC))
    file.write_bytes(content)
    count = len(loaded(content).document["entries"])
    if as_json:
        print_json({"file": str(file), "entries": count})
    else:
        say_out(f"{count} ended documents in {file}.")


def _of_issuer(settings: Settings, found: Verification, told: str | None) -> Verification:
    """What is known of who signed: as the reader was told, this installation, or nothing."""
    issuer = str(_issuer(found))
    if found.wrong is not None:
        return found
    if told is not None:
        if told.strip() != issuer:
            wrong = Difference("/document/issuer/id", issuer, told.strip())
            return replace(found, wrong=wrong, reason="Another issuer signed it than the one you named.")
        return replace(found, issuer="as given")
    if issuer in _issuers(settings):
        return replace(found, issuer="this installation")
    note = f"Whose key it is was not checked: compare {issuer} with what the issuer told you (--issuer)."
    return replace(found, notes=(*found.notes, note))


def _issuer(found: Verification) -> object:
    issuer = found.document.get("issuer")
    return issuer.get("id") if isinstance(issuer, dict) else None


def _issuers(settings: Settings) -> dict[str, str]:
    """This installation's issuers, looked up without making or migrating a database."""
    if settings.database is not None:
        from reports.proof import keys  # noqa: PLC0415

        return keys.issuers(settings)
    file = settings.home.resolve() / "accounts.db"
    if not file.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            return dict(connection.execute("SELECT kid, workspace FROM signing_keys WHERE number = 1").fetchall())
    except sqlite3.OperationalError:
        # Made before there were keys, or not ours to read: then nothing is known of issuers.
        return {}


def _online(found: Verification) -> bytes:
    import httpx  # noqa: PLC0415 - only where a list is asked for

    address = found.document.get("list_address")
    if not address:
        raise DocumentError(
            "The proof does not say where its issuer publishes what was revoked; ask for the list and use --list FILE."
        )
    from reports.proof.revocation import fetched  # noqa: PLC0415

    with httpx.Client(timeout=20) as client:
        return fetched(str(address), client)


def _roots(file: Path) -> tuple[Certificate, ...]:
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    return tuple(load_pem_x509_certificates(file.read_bytes()))


def _print_about(found: Verification) -> None:
    document = found.document
    # A signature of a workbook or table says of which proof it is.
    of = document.get("proof", document)
    say_out(f"  Proof {of.get('id', '')}, {of.get('state', '')}, signed {document.get('signed_at', '')}.")
    statement = document.get("statement")
    if isinstance(statement, dict):
        say_out(f"  {statement['headline']} {statement['interval']}")
