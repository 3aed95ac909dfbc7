"""Connections, their syncs, and the provider's own totals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "connections",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("paid_limit", sa.String(64)),
        sa.Column("every_minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("rotated_at", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
        sa.UniqueConstraint("workspace", "name", name="uq_connections_workspace_name"),
    )
    op.create_index("ix_connections_workspace", "connections", ["workspace"])
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("connection_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("doing", sa.Text(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("loads", sa.JSON(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("paid", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sync_runs"),
    )
    for column in ("workspace", "connection_id", "started_at"):
        op.create_index(f"ix_sync_runs_{column}", "sync_runs", [column])
    op.create_table(
        "provider_totals",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("connection_id", sa.String(32), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("before", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("amount", sa.String(64), nullable=False),
        sa.Column("ledger", sa.String(64)),
        sa.Column("closed", sa.Boolean()),
        sa.Column("checked_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_totals"),
        sa.UniqueConstraint(
            "connection_id",
            "first",
            "before",
            "currency",
            "origin",
            name="uq_provider_totals_connection_id_first_before_currency_origin",
        ),
    )
    for column in ("workspace", "connection_id"):
        op.create_index(f"ix_provider_totals_{column}", "provider_totals", [column])
