"""Settings of workers and reaper, read once at start from ``ORCHESTRATOR_*``."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.orchestrator.patience import Patience
from shared.clients.transport import CallTimeouts
from shared.http.guard import UrlPolicy
from shared.queue import Queue
from shared.settings import ServiceSettings, StorageSettings


class OrchestratorSettings(ServiceSettings):
    """What the orchestrator needs to know."""

    model_config = SettingsConfigDict(env_prefix="ORCHESTRATOR_")

    redis_url: str = "redis://127.0.0.1:6379/0"
    storage: StorageSettings = StorageSettings()
    planner_url: str = "http://127.0.0.1:8201"
    critic_url: str = "http://127.0.0.1:8202"
    generators: dict[str, str] = Field(default={"sketchbook": "http://127.0.0.1:8203"})
    """Name that requests ask for -> address of that generator service."""
    timeouts: CallTimeouts = CallTimeouts()
    """Of one call to a model service."""

    concurrency: int = Field(default=32, ge=1, le=1000)
    """Commands of one kind (queue) that one worker process carries out at a time; each is a
    thread that waits."""
    cells: int = Field(default=4, ge=1, le=100)
    """Commands at a time that may be what kills workers: each is carried out in a process of its
    own, which does nothing else."""
    queues: tuple[Queue, ...] = tuple(Queue)
    """Which queues a worker serves."""

    max_in_flight: int = Field(default=64, ge=1)
    """Trajectories of all keys that are worked on at the same time; the same in the gateway's
    settings."""
    lease_s: float = Field(default=10.0, gt=0)
    """How long a command stays taken after its worker fell silent."""
    poll_s: float = Field(default=0.3, gt=0)
    """How often running commands are checked for cancel and deadline."""
    max_executions: int = Field(default=5, ge=1)
    """A command begun so often without an end is given up; all but the first two of them alone
    in a process."""
    retry_window_s: float = Field(default=120.0, ge=0)
    """How long a service that is away is awaited within one execution."""
    max_tries: int = Field(default=3, ge=1)
    """How often a service that answers wrongly or too late is asked."""

    reap_interval_s: float = Field(default=5.0, gt=0)
    resend_after_s: float = Field(default=5.0, ge=0)
    """A pending command that nobody runs is sent again after this, then ever more rarely."""

    webhook_timeout_s: float = Field(default=15.0, gt=0)
    webhook_log_days: float = Field(default=30.0, ge=2)
    """How long finished deliveries are kept in the log."""
    webhook_log_max: int = Field(default=10_000, ge=1)
    """Per tenant: of more finished deliveries the oldest are forgotten."""
    allow_private_webhooks: bool = False
    """Also plain http and private addresses: for tests and one-machine set-ups only."""

    stop_grace_s: float = Field(default=2.0, ge=0)
    """How long running calls may go on after SIGTERM; then others carry the commands on."""
    metrics_port: int | None = None
    """Where Prometheus finds the metrics of this process; None: nowhere."""
    metrics_host: str = "127.0.0.1"
    """Address of the interface on which it listens for that; 0.0.0.0 for all."""

    @property
    def threads(self) -> int:
        """Of one worker process: every kind of work has its own."""
        return self.concurrency * len(self.queues)

    @property
    def patience(self) -> Patience:
        """Limits of retrying model calls."""
        return Patience(window_s=self.retry_window_s, max_tries=self.max_tries)

    @property
    def url_policy(self) -> UrlPolicy:
        """Which webhook addresses may be visited."""
        return UrlPolicy(
            allow_http=self.allow_private_webhooks, allow_private=self.allow_private_webhooks
        )
