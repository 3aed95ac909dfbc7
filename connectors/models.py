"""The identity of a model, which the ledger defines (`ledger.models`) and every mapping uses."""

from ledger.models import Identity, identified, identity, lineage

__all__ = ["Identity", "identified", "identity", "lineage"]
