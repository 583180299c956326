"""The authority for the schema: every table, and the numbered SQL module that creates it."""

from models.agent import (
    ApexOptimizerAgentRun,
    ApexOptimizerAgentRunReport,
    Assistant,
    Message,
    Run,
    Step,
    Thread,
)
from models.agent_state import AgentRecoveryLog, AgentStateSnapshot, AgentStateTransaction
from models.base import Base
from models.content import Analysis, AnalysisResult, Corpus, CorpusAuditLog, Reference
from models.demo import DemoExport, DemoFeedback, DemoInteraction, DemoMetric, DemoScenario, DemoSession
from models.demo_seed import DEMO_SCENARIOS
from models.supply import AISupplyItem, ResearchSession, Supply, SupplyOption, SupplyUpdateLog
from models.table_module import TableModule, table_module
from models.user import Secret, ToolUsageLog, User

metadata = Base.metadata

# In the order in which a fresh database is built: a foreign key points to its own module or to an earlier one.
MODULES: dict[str, TableModule] = {
    "02-init-users-auth": table_module(
        "Users and auth: accounts, the credentials they keep, and a log of the tools they call.",
        User,
        Secret,
        ToolUsageLog,
    ),
    "03-init-agents": table_module(
        "Agents: assistants with their threads, runs, messages and steps, the optimizer's trace, saved agent state.",
        Assistant,
        Thread,
        Run,
        Message,
        Step,
        ApexOptimizerAgentRun,
        ApexOptimizerAgentRunReport,
        AgentStateSnapshot,
        AgentStateTransaction,
        AgentRecoveryLog,
    ),
    "04-init-supply": table_module(
        "Supply: AI models on offer, what they cost, and the research that keeps this up to date.",
        Supply,
        SupplyOption,
        AISupplyItem,
        ResearchSession,
        SupplyUpdateLog,
    ),
    "05-init-content": table_module(
        "Content: lookup values of the user interface, analyses and results, corpora and their audit trail.",
        Reference,
        Analysis,
        AnalysisResult,
        Corpus,
        CorpusAuditLog,
    ),
    "06-init-demo": table_module(
        "Demo: visits, what was said, measured, exported and thought of them, and scenarios with their first rows.",
        DemoSession,
        DemoInteraction,
        DemoScenario,
        DemoMetric,
        DemoExport,
        DemoFeedback,
        seeds=(DEMO_SCENARIOS,),
    ),
}

__all__ = ["MODULES", "Base", "TableModule", "metadata"]
