"""Alembic runs this with the connection that `store.migrate` gives."""

from alembic import context

from soleus.delivery.web.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
