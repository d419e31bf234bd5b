"""What tests of the domain share: one transaction in which a test does all it does."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from cms.database import Database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session on each database. Nothing of it is committed."""
    with Session(database.writer, expire_on_commit=False) as session:
        yield session
