"""The identity of a model, which the ledger defines (`ledger.models`) and every mapping uses."""

from ledger.models import VOCABULARY, Identity, identified, identity, lineage

__all__ = ["VOCABULARY", "Identity", "identified", "identity", "lineage"]
