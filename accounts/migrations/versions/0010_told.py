"""When the owner was told of a delivery that failed for good."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment; deliveries that failed before anybody could be told are not told late."""
    op.add_column("deliveries", sa.Column("told_at", sa.String(32), nullable=True))
    op.execute("UPDATE deliveries SET told_at = next_try WHERE state = 'failed'")
