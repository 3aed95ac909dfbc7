"""What Alembic runs: the migrations, over the connection that `accounts.database` hands it."""

from __future__ import annotations

from alembic import context

from accounts.database import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
