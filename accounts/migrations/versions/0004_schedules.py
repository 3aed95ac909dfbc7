"""Schedules of reports, their deliveries, and the tokens with which recipients end them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("report", sa.String(32), nullable=False),
        sa.Column("view", sa.JSON(), nullable=False),
        sa.Column("cadence", sa.String(64), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("planned_until", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("workspace", "name", name=op.f("uq_schedules_workspace_name")),
    )
    op.create_index(op.f("ix_schedules_workspace"), "schedules", ["workspace"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("schedule_id", sa.String(32), nullable=False),
        sa.Column("occasion", sa.String(128), nullable=False),
        sa.Column("about", sa.String(32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.String(32), nullable=False),
        sa.Column("lease", sa.String(32), nullable=True),
        sa.Column("holder", sa.String(32), nullable=True),
        sa.Column("sent_at", sa.String(32), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("schedule_id", "occasion", "place", name=op.f("uq_deliveries_schedule_id_occasion_place")),
    )
    for column in ("workspace", "schedule_id", "state", "next_try"):
        op.create_index(op.f(f"ix_deliveries_{column}"), "deliveries", [column])
    op.create_table(
        "report_recipients",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("schedule_id", sa.String(32), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("stopped_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_recipients")),
    )
    for column in ("workspace", "schedule_id", "token_hash"):
        op.create_index(op.f(f"ix_report_recipients_{column}"), "report_recipients", [column])
