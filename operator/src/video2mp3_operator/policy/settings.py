"""The operator's settings, read once at the entry point from the environment (prefix `OPERATOR_`)."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from video2mp3_contracts.api.conversion import MAX_PARALLELISM
from video2mp3_contracts.api.source_urls import HOST_PATTERN
from video2mp3_operator.policy.lease_settings import LeaseSettings
from video2mp3_operator.policy.memory import in_bytes
from video2mp3_operator.policy.resources import complaints

Quantity = Annotated[str, Field(coerce_numbers_to_str=True)]
"""As Kubernetes has it, such as 512Mi; YAML makes a number of 2."""


class Settings(LeaseSettings, BaseSettings):
    """Every setting, with its unit, its default and why it is so. Secrets have no default."""

    model_config = SettingsConfigDict(env_prefix="OPERATOR_", frozen=True, extra="ignore")

    mongodb_uri: SecretStr
    """The ledger and the files."""

    rabbitmq_uri: SecretStr
    """Where `failed` messages go."""

    watch_namespaces: Annotated[tuple[str, ...], NoDecode] = ()
    """Namespaces whose Conversions are served, separated by commas. Empty: all, which needs a ClusterRole."""

    namespace: str = "default"
    """The namespace the operator runs in; holds the leader's Lease, and the heartbeat where all are watched."""

    instance: str = "video2mp3"
    """The installation's name: the label `app.kubernetes.io/instance` of Jobs, and the heartbeat's name."""

    installation: str = ""
    """Whose the files and ledger entries are: one name for each release that shares the MongoDB, the same for ever. The
    chart's is NAMESPACE/RELEASE. Without it nothing is swept."""

    paused: bool = False
    """Answer probes and do nothing else: for `load`, which puts a backup in place."""

    http_port: int = 8080
    """TCP port of /healthz, /readyz and /metrics. 0 takes a free one."""

    log_level: str = "INFO"
    """Of our own log; kopf's lines about each event are kept out below WARNING."""

    # --- ⑤ the worker Job ---

    worker_image: str
    """The worker's container image. No default: it must be the one that was released with this operator."""

    worker_secret: str
    """The Secret with `mongodb-uri` and `rabbitmq-uri` where workers run."""

    worker_namespace: str = ""
    """Where workers run. Their Secret opens every account's files: only who may see all of these may read Secrets, or
    open a shell in a pod, there. Without it each runs in its Conversion's namespace."""

    worker_service_account: str = "default"
    """Its token is never mounted; an account of its own keeps others' permissions away all the same."""

    worker_resources: dict[Literal["requests", "limits"], dict[str, Quantity]] = {
        "requests": {"cpu": "500m", "memory": "128Mi"},
        "limits": {"cpu": "2", "memory": "512Mi"},
    }
    """A worker's container's resources, as JSON, passed on as they are. LAME uses whole cores; two finish a film in a
    few minutes without starving a small node. The worker streams: constant memory, about 150 MiB at the most, plus the
    page cache of its scratch files. Memory has to be there: it is doubled where it was not enough. What Kubernetes
    would refuse keeps the operator from starting: Conversions then wait, where each would end in `InvalidJob`."""

    worker_memory_ceiling: str = "2Gi"
    """A worker that was ended for its memory is tried again with twice as much, up to this limit."""

    worker_part_seconds: Annotated[int, Field(ge=60)] = 2 * 3600
    """Of audio that is split by its duration (`parallelism: auto`), each part is at least as long: a worker encodes
    it in about half a minute, and a pod must be worth its start."""

    worker_max_parts: Annotated[int, Field(ge=2, le=MAX_PARALLELISM)] = 8
    """The most parts that audio is split into by its duration. Each is a pod, and counts as one for admission."""

    worker_stall_seconds: Annotated[int, Field(ge=1)] = 900
    """A worker that has noted nothing in the ledger for so long is replaced. The worker itself gives a conversion up
    that stands still, much sooner; this is for workers that hang as a whole. Storing a large mp3 must fit in."""

    worker_start_seconds: Annotated[int, Field(ge=1)] = 900
    """How long a pod may take to start where the spec says nothing: time to add a node and to pull the image."""

    worker_run_seconds: Annotated[int, Field(ge=60)] = 6 * 3600
    """The most that one attempt may run where the spec says nothing. The worker's own limit, which follows the
    media's duration, comes long before."""

    worker_grace_seconds: Annotated[int, Field(ge=0)] = 30
    """From SIGTERM to SIGKILL: the worker ends ffmpeg, removes its partial mp3 and exits 75."""

    worker_require_landlock: bool = False
    """Whether workers refuse to work where the kernel has no Landlock. Off: it is only told, since seccomp alone
    already leaves ffmpeg no way to write, to reach others, or the network."""

    job_ttl_seconds: Annotated[int, Field(ge=3)] = 600
    """How long a finished Job and its logs stay for people to look at; the results are in the ledger. Never so short
    that a Job is gone before we have seen how it ended."""

    worker_pod_labels: dict[str, str] = {}
    worker_pod_annotations: dict[str, str] = {}
    """More of them for workers' pods, as JSON: how a service mesh is told that they want no sidecar, for example."""

    worker_copied_labels: Annotated[tuple[str, ...], NoDecode] = ()
    worker_copied_annotations: Annotated[tuple[str, ...], NoDecode] = ()
    """Which of a Conversion's own, by their keys, its Jobs and their pods get as well: by which costs are told apart,
    for example. Whoever may create Conversions chooses the values, so none by default; those of administrators and ours
    are never replaced."""

    worker_node_selector: dict[str, str] = {}
    """Labels, as JSON, of the nodes that workers may run on: nodes of one kind, or those that are there for it."""

    worker_tolerations: tuple[dict[str, Any], ...] = ()
    """Taints, as JSON, that workers' pods tolerate. Also for how long they stay on a node that does not answer, where
    five minutes are too long."""

    worker_affinity: dict[str, Any] = {}
    """Their affinity, as JSON."""

    worker_priority_class: str = ""
    """Their PriorityClass."""

    worker_ca_secret: str = ""
    """A Secret with `ca.crt` where workers run: authorities that they trust beside the system's."""

    worker_fixed_uid: bool = True
    """Whether they run as a user of our choice. Off where the cluster chooses one, as OpenShift does."""

    max_source_bytes: Annotated[int, Field(gt=0)] = 20 * 1024**3
    """Larger sources are refused before a Job is made."""

    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts that sources are fetched from by URL, separated by commas: names, `*.example.com`, or `*` for every public
    one. None by default: until somebody names one, no worker needs a way out of the cluster."""

    max_output_bytes: Annotated[int, Field(gt=0)] = 4 * 1024**3
    """The largest mp3; with the source's size it also limits the scratch volume."""

    max_duration_seconds: Annotated[int, Field(gt=0)] = 24 * 3600
    """Longer media are refused by the worker."""

    # --- classes ---

    classes: dict[str, dict[str, Any] | None] = {}
    """ConversionClasses, as JSON: their specs by their names. They are made, and brought back to what is said here,
    when the operator starts. What is null here is left alone."""

    default_class: str = ""
    """Which of them is that of Conversions that name none."""

    # --- admission ---

    max_running: Annotated[int, Field(ge=1)] = 20
    """Pods of workers at a time, in all watched namespaces."""

    max_running_per_namespace: Annotated[int, Field(ge=1)] = 1000
    """Pods of workers at a time in one namespace; the default leaves it to `max_running`."""

    max_running_per_owner: Annotated[int, Field(ge=1)] = 1000
    """Pods of workers at a time of one account; the default leaves it to fairness, so one may use idle capacity."""

    queue_seconds: Annotated[int, Field(ge=1)] = 7 * 24 * 3600
    """How long a conversion may wait for its turn where the spec says nothing: a long queue is no fault, but a queue
    that has not moved for a week is."""

    outage_seconds: Annotated[int, Field(ge=1)] = 24 * 3600
    """For how long what is nobody's fault may keep a conversion from being done: a store or a registry that is away, a
    node that takes no pod. It is tried again and again meanwhile."""

    lost_seconds: Annotated[int, Field(ge=1)] = 60
    """A pod that was to be gone so long ago, its grace over, is given up: its node does not answer. A busy kubelet may
    take its time."""

    # --- the reconcile loop ---

    reconcile_concurrency: Annotated[int, Field(ge=1)] = 32
    """Conversions reconciled at once. They mostly wait for the API server."""

    set_concurrency: Annotated[int, Field(ge=1)] = 4
    """ConversionSets reconciled at once."""

    sweep_seconds: Annotated[float, Field(gt=0)] = 2.0
    """How often the ledger is asked, in one query, about all running conversions; more often where these are few."""

    progress_write_seconds: Annotated[float, Field(ge=0)] = 10.0
    """How often a conversion's progress is written to its status: each write wakes everyone who watches."""

    class_seconds: Annotated[float, Field(gt=0)] = 5.0
    """How often the ConversionClasses are listed."""

    resync_seconds: Annotated[float, Field(gt=0)] = 300.0
    """How often all is listed again, against events that never came."""

    outbox_seconds: Annotated[float, Field(gt=0)] = 15.0
    """How long the outbox waits before it tries a broker again that was away."""

    release_after_seconds: Annotated[float, Field(ge=0)] = 600.0
    """How long a deletion waits for a store that is away before it lets the Conversion go; what it leaves behind is
    counted, logged and left to the next garbage collection."""

    deletion_grace_seconds: Annotated[float, Field(ge=0)] = 90.0
    """How long a deletion waits for the worker's pod to end before the files are removed: a node that is gone never
    reports its pods."""

    orphan_sweep_seconds: Annotated[float, Field(gt=0)] = 300.0
    """How often some of what is stored is looked at for what is nobody's any more."""

    orphan_grace_seconds: Annotated[int, Field(ge=2 * 3600)] = 24 * 3600
    """Nothing that was begun later than this ago is taken for nobody's: no upload and no attempt takes so long, and no
    two clocks are so far apart."""

    orphan_days: Annotated[float, Field(gt=0)] = 7.0
    """Days from the mark on what nothing wants any more to its removal: time to notice a mistake and to mend it."""

    retained_days: Annotated[float, Field(ge=0)] = 0.0
    """Days that an mp3 stays which outlived its Conversion. 0: until its owner deletes it."""

    # --- time limits of single calls ---

    kubernetes_timeout_seconds: Annotated[float, Field(gt=0)] = 20.0
    mongodb_timeout_seconds: Annotated[float, Field(gt=0)] = 5.0
    rabbitmq_timeout_seconds: Annotated[float, Field(gt=0)] = 10.0

    # --- watches ---

    watch_seconds: Annotated[int, Field(gt=0)] = 300
    """A watch is closed by the server after this time and opened again, so that none is deaf for longer."""

    heartbeat_seconds: Annotated[float, Field(gt=0)] = 10.0
    """How often the heartbeat object is patched."""

    heartbeat_limit_seconds: Annotated[float, Field(gt=0)] = 90.0
    """When a beat that the API server took has not come back for so long, /healthz fails and Kubernetes restarts the
    operator. Longer than the 70 s after which kopf opens a silent watch again."""

    @field_validator("worker_memory_ceiling")
    @classmethod
    def _quantity(cls, value: str) -> str:
        in_bytes(value)
        return value

    @field_validator("worker_resources")
    @classmethod
    def _resources(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        missing = [name for name in ("requests", "limits") if "memory" not in value.get(name, {})]
        wrong = [f"{name}.memory is missing" for name in missing] or [*complaints(value)]
        if wrong:
            raise ValueError("; ".join(wrong))
        return value

    @field_validator(
        *("watch_namespaces", "allowed_hosts", "worker_copied_labels", "worker_copied_annotations"), mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [host for host in hosts if not re.fullmatch(HOST_PATTERN, host)]
        if wrong:
            raise ValueError(f"not a host in lower case, *.example.com or *: {', '.join(wrong)}")
        return hosts

    def serves(self, namespace: str) -> bool:
        """Whether Conversions of a namespace are ours to work on."""
        return not self.watch_namespaces or namespace in self.watch_namespaces

    @property
    def visible_namespaces(self) -> tuple[str, ...]:
        """Those that are watched for Conversions, Jobs and pods; empty for all."""
        if not self.watch_namespaces or not self.worker_namespace:
            return self.watch_namespaces
        return tuple(dict.fromkeys((*self.watch_namespaces, self.worker_namespace)))

    @property
    def heartbeat_namespaces(self) -> tuple[str, ...]:
        """Where heartbeat objects live: in each namespace that is watched by itself."""
        return self.visible_namespaces or (self.namespace,)
