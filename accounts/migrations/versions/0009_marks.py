"""What each person has put behind them: the tour, and alerts that they have read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "marks",
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("person", sa.String(254), nullable=False),
        sa.Column("what", sa.String(128), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "person", "what", name=op.f("pk_marks")),
    )
