"""Attempts say which charges they were about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the scope; of attempts before it is not known, so that they count for every claim."""
    with op.batch_alter_table("attempts") as table:
        table.add_column(sa.Column("scope", sa.Text(), nullable=False, server_default=""))
