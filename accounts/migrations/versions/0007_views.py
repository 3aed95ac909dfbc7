"""Saved views, and what each person saw last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("path", sa.String(64), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("workspace", "name", name=op.f("uq_saved_views_workspace_name")),
    )
    op.create_index(op.f("ix_saved_views_workspace"), "saved_views", ["workspace"])
    op.create_table(
        "visits",
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("person", sa.String(254), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "person", name=op.f("pk_visits")),
    )
