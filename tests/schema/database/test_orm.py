"""What the ORM sends to a real PostgreSQL by itself: keys, times and empty values, new for every row."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from models import metadata
from models.agent import Assistant
from models.agent_state import AgentStateSnapshot
from models.demo import DemoSession
from models.supply import SupplyOption
from models.user import Secret, User

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.database.scratch_server"]
pytestmark = pytest.mark.database


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database), poolclass=NullPool)
    metadata.create_all(engine)
    with Session(engine) as session:
        yield session


def snapshot(user: User) -> AgentStateSnapshot:
    return AgentStateSnapshot(run_id="run", thread_id="thread", user_id=user.id, state_data={})


def test_two_snapshots_of_one_run_and_type_get_times_of_their_own(session: Session) -> None:
    """The second snapshot of a run and checkpoint type is accepted: its time is another one than the first's."""
    user = User(email="a@example.com")
    session.add(user)
    session.flush()
    for _ in range(2):
        session.add(snapshot(user))
        session.flush()
    times = session.scalars(select(AgentStateSnapshot.created_at)).all()
    assert len(set(times)) == 2
    assert all(time and abs(datetime.now(timezone.utc) - time) < timedelta(minutes=1) for time in times)


def test_a_user_gets_key_times_and_values_by_itself(session: Session) -> None:
    """An account needs an address only; an update moves updated_at and leaves created_at."""
    user = User(email="a@example.com")
    session.add(user)
    session.commit()
    assert len(user.id) == 36
    assert (user.role, user.plan_tier, user.payment_status) == ("standard_user", "free", "active")
    assert (user.is_active, user.is_superuser, user.permissions) == (True, False, {})
    created, updated = user.created_at, user.updated_at
    assert created
    assert updated
    user.full_name = "Ada"
    session.commit()
    assert user.created_at == created
    assert user.updated_at
    assert user.updated_at > updated


def test_the_database_gives_numbers_and_the_demo_tables_defaults(session: Session) -> None:
    """Integer keys count up from 1, arrays are arrays, and a demo visit gets its status and times from the database."""
    for name in ("first", "second"):
        session.add(
            SupplyOption(
                provider="p", family="f", name=name, cost_per_million_tokens_usd={"input": 1}, quality_score=0.5
            )
        )
        session.flush()
    session.add(Assistant(id="asst", created_at=0, model="m", file_ids=["file-1"]))
    visit = DemoSession(id="visit", industry="financial", session_metadata={"from": "test"})
    session.add(visit)
    session.commit()
    assert session.scalars(select(SupplyOption.id).order_by(SupplyOption.name)).all() == [1, 2]
    assert session.scalars(select(Assistant.file_ids)).one() == ["file-1"]
    assert (visit.status, visit.progress_percentage, visit.session_metadata) == ("active", 0, {"from": "test"})
    assert visit.started_at == visit.created_at == visit.updated_at
    assert visit.started_at.tzinfo is not None


def test_deleting_a_user_through_the_orm_deletes_its_secrets(session: Session) -> None:
    """The ORM deletes a user's secrets with the user, though the foreign key itself would refuse."""
    user = User(email="a@example.com", secrets=[Secret(key="k", encrypted_value="v")])
    session.add(user)
    session.commit()
    session.delete(user)
    session.commit()
    assert session.scalars(select(Secret)).all() == []
    assert session.scalars(select(User)).all() == []
