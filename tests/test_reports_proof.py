"""The proof document: what it says, that any change of it is found and named, and that its sums hold."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reports.claim import FeeLine, ProofClass, State
from reports.proof import keys
from reports.proof.arithmetic import wrong_figure
from reports.proof.canonical import DocumentError, leaves
from reports.proof.document import Identity, document
from reports.proof.envelope import bare, signed, text
from reports.proof.issue import Proof
from reports.proof.jws import Kind, encoded
from reports.proof.verification import Verification, of_envelope, verify
from tests.claims import SIGNED, claim
from tests.proofs import proof, settings

Document = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    return proof(settings(tmp_path_factory.mktemp("proof")))


def changed(made: Proof, change: Callable[[Document], object]) -> Verification:
    envelope = json.loads(made.content)
    change(envelope)
    return of_envelope("json", text(envelope))


def at(value: Any, path: str) -> tuple[Any, str | int]:
    *before, last = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    for name in before:
        value = value[int(name) if isinstance(value, list) else name]
    return value, int(last) if isinstance(value, list) else last


def test_a_verified_proof_is_valid_and_says_what_was_not_checked(made: Proof) -> None:
    found = of_envelope("json", made.content)
    assert found.valid
    assert found.document == made.document
    assert found.summary == "Document valid as signed, revocation not checked."
    assert made.document["state"] == "verified"
    assert made.document["statement"]["headline"] == (
        "The change saved $11,459.21 (20.4% of what the same work would have cost), 1 Sep to 31 Oct 2026."
    )
    assert made.document["statement"]["interval"] == "90% interval: $11,039.73 to $11,878.69."


def test_every_changed_leaf_is_found_and_named(made: Proof) -> None:
    envelope = json.loads(made.content)
    # The days are many and alike: every hundredth of their figures, and all that is not a day.
    paths = [path for path, _ in leaves(envelope)]
    some = [p for i, p in enumerate(paths) if not p.startswith("/document/days/") or i % 100 == 0]
    assert len(some) > 250
    for path in some:
        twin = copy.deepcopy(envelope)
        parent, name = at(twin, path)
        parent[name] = other(parent[name])
        found = of_envelope("json", text(twin))
        assert not found.valid, path
        assert found.wrong is not None
        assert found.wrong.path == path


def other(value: Any) -> Any:
    """A value that is another one by a single character."""
    if isinstance(value, str) and value:
        middle = len(value) // 2
        return value[:middle] + ("1" if value[middle] != "1" else "2") + value[middle + 1 :]
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else "x"


def test_the_change_is_shown_beside_what_was_signed(made: Proof) -> None:
    found = changed(made, lambda e: e["document"]["claim"]["figures"].update(point="11459.31"))
    assert found.record()["first_wrong_path"] == "/document/claim/figures/point"
    assert found.record()["found"] == '"11459.31"'
    assert found.record()["signed"] == '"11459.21"'
    assert found.summary == (
        "Not valid: /document/claim/figures/point. It is not what was signed. "
        'It says "11459.31"; signed was "11459.21".'
    )


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda e: e["document"]["claim"].pop("refusals"), "/document/claim/refusals"),
        (lambda e: e["document"].update(added="word"), "/document/added"),
        (lambda e: e.update(added="word"), "/added"),
        (lambda e: e["document"]["claim"]["gates"].pop(), "/document/claim/gates/10"),
        (lambda e: e["keys"].pop(), "/keys"),
        (lambda e: e.update(keys=[e["keys"][0] * 2]), "/keys/0"),
        (lambda e: e.update(signature=e["signature"][:-2]), "/signature"),
        (lambda e: e.update(signature=e["signature"].split(".")[0]), "/signature"),
        (lambda e: e.update(signature=7), "/signature"),
        (lambda e: e.update(document="text"), "/document"),
        (lambda e: e.update(timestamp={"token": "AAAA"}), "/timestamp"),
    ],
)
def test_what_is_taken_out_or_put_in_is_named(made: Proof, change: Callable[[Document], object], path: str) -> None:
    found = changed(made, change)
    assert found.wrong is not None
    assert found.wrong.path == path


def test_a_document_changed_together_with_its_copy_in_the_signature_does_not_pass(made: Proof) -> None:
    envelope = json.loads(made.content)
    envelope["document"]["claim"]["figures"]["point"] = "99999.99"
    head, _, signature = envelope["signature"].split(".")
    body = encoded(json.dumps(envelope["document"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    envelope["signature"] = f"{head}.{body}.{signature}"
    found = of_envelope("json", text(envelope))
    assert found.wrong is not None
    assert found.wrong.path == "/signature"


def test_another_issuer_cannot_sign_in_this_ones_name(made: Proof, tmp_path: Path) -> None:
    stranger = keys.signer(settings(tmp_path), "acme", SIGNED)
    forged = signed(made.document, stranger, Kind.PROOF)
    found = of_envelope("json", text(forged))
    assert found.wrong is not None
    assert found.wrong.path == "/keys/0"
    found = of_envelope("json", text(forged | {"keys": json.loads(made.content)["keys"]}))
    assert found.wrong is not None
    assert found.wrong.path == "/signature"


def test_the_bare_envelope_is_checked_in_the_same_way(made: Proof) -> None:
    found = of_envelope("json", text(bare(json.loads(made.content))))
    assert found.valid
    assert found.document == made.document


def test_a_baseline_or_list_signed_by_the_issuer_is_no_proof(tmp_path: Path, made: Proof) -> None:
    signer = keys.signer(settings(tmp_path), "acme", SIGNED)
    about = {**made.document, "issuer": {"id": signer.issuer, "name": None}}
    found = of_envelope("json", text(signed(about, signer, Kind.BASELINE)))
    assert found.wrong is not None
    assert found.wrong.path == "/signature"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"{", b'{"document": {}}', b"\xff\xfe", b"a,b\n1,2\n", b"PK\x03"]
)
def test_what_is_no_proof_is_refused_as_a_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(DocumentError, match=r"x\.json"):
        verify(file)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path, made: Proof) -> None:
    file = tmp_path / "twice.json"
    file.write_bytes(made.content.replace(b'"state": "verified",', b'"state": "verified", "state": "verified",', 1))
    with pytest.raises(DocumentError, match="twice"):
        verify(file)


def as_document(**changes: Any) -> Document:
    return document(replace(claim(), **changes), Identity("id", "issuer", None, SIGNED))


def test_the_sums_of_a_measured_claim_hold() -> None:
    assert wrong_figure(as_document()) is None
    assert wrong_figure(document(claim(0.0), Identity("id", "issuer", None, SIGNED))) is None


FIGURES = claim().figures


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"figures": replace(FIGURES, point=Decimal("11459.22"))}, "/document/claim/figures/point"),
        ({"figures": replace(FIGURES, actual=Decimal("44786.40"))}, "/document/claim/figures/actual"),
        ({"figures": replace(FIGURES, counterfactual=Decimal("56945.50"))}, "/document/claim/figures/counterfactual"),
        ({"figures": replace(FIGURES, low=Decimal("11500.00"))}, "/document/claim/figures/low"),
        ({"figures": replace(FIGURES, share=Decimal("0.23"))}, "/document/claim/figures/share"),
        ({"fee": (FeeLine("all of it", Decimal("11039.74")),)}, "/document/claim/fee/0/amount"),
        ({"proof_class": ProofClass.RETROSPECTIVE}, "/document/claim/fee/0/amount"),
        ({"refusals": ("A reason.",)}, "/document/claim/refusals"),
        ({"gates": (replace(claim().gates[0], state="failed"), *claim().gates[1:])}, "/document/claim/gates/0/state"),
    ],
)
def test_a_figure_that_does_not_follow_is_named_even_where_it_is_signed(changes: dict[str, Any], path: str) -> None:
    found = wrong_figure(as_document(**changes))
    assert found is not None
    assert found[0].path == path


def test_the_bridge_leads_from_baseline_to_all_in() -> None:
    bridge = as_document()["bridge"]
    assert [part["label"] for part in bridge if part["kind"] == "step"] == [
        "More work", "Saving", "Vendor price changes", "Fee",
    ]  # fmt: skip
    amounts = [Decimal(part["amount"]) for part in bridge]
    assert amounts[0] + amounts[1] == amounts[2]
    assert amounts[2] + amounts[3] == amounts[4] == FIGURES.actual
    assert amounts[-3] + amounts[-2] == amounts[-1]
    broken = as_document()
    broken["bridge"][3]["amount"] = "-11459.20"
    found = wrong_figure(broken)
    assert found is not None
    assert found[0].path == "/document/bridge/4/amount"


def test_a_claim_that_is_refused_states_no_saving() -> None:
    found = document(claim(0.0), Identity("id", "issuer", None, SIGNED))
    assert found["state"] == "not verified"
    assert found["statement"]["headline"].startswith("Not verified, 1 Sep to 31 Oct 2026: The interval reaches from")
    assert "saved" not in json.dumps(found["statement"])
    assert found["claim"]["fee"] == []


def test_a_retrospective_claim_counts_its_attempts_on_the_first_page() -> None:
    found = as_document(proof_class=ProofClass.RETROSPECTIVE, fee=(), attempts=())
    assert "no fee rests on it" in found["statement"]["class"]


def test_a_provisional_claim_says_so_first() -> None:
    found = as_document(state=State.PROVISIONAL, fee=())
    assert found["statement"]["headline"].startswith("Provisional: the change saved $11,459.21")


def test_a_released_proof_can_be_checked_with_any_jose_library(made: Proof) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    envelope = json.loads(made.content)
    head, body, signature = envelope["signature"].split(".")
    key = json.loads(raw(envelope["keys"][-1].split(".")[1]))["x"]
    Ed25519PublicKey.from_public_bytes(raw(key)).verify(raw(signature), f"{head}.{body}".encode())
    assert json.loads(raw(body)) == envelope["document"]
    assert json.loads(raw(head))["alg"] == "EdDSA"


def raw(text_: str) -> bytes:
    return base64.urlsafe_b64decode(text_ + "=" * (-len(text_) % 4))
