"""The authority for the schema: every table; sql/modules.yaml says which SQL module creates it."""

from models import agent, agent_state, content, demo, supply, user
from models.base import Base

metadata = Base.metadata

__all__ = ["Base", "agent", "agent_state", "content", "demo", "metadata", "supply", "user"]
