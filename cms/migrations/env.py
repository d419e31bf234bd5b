"""How Alembic runs: on the connection that `cms.migrating` hands over, in its transaction."""

from alembic import context

from cms.tables import events, jobs, people  # noqa: F401 - declares its tables
from cms.tables.entries import Entry

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Entry.metadata, compare_type=True, render_as_batch=True)
context.run_migrations()
