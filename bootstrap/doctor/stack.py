"""The checks of a stack whose services can be defined: what each examines, and what must be right first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.doctor import (
    catalogs,
    endings,
    engines,
    files,
    machine,
    pipelines,
    probes,
    services,
    shell,
    speed,
    store,
    timed,
)
from bootstrap.doctor.store import Answer
from bootstrap.doctor.surroundings import Surroundings
from bootstrap.iceberg import claims
from bootstrap.remote.errors import Refused, RemoteError, Throttled, UnknownState, Unreachable
from bootstrap.session import connect
from bootstrap.session.pipelines import look
from bootstrap.session.target import Target
from lakehouse.kinds.catalog import CatalogEndpoint
from lakehouse.packages import terraform
from lakehouse.runtimes import credentials, generations
from lakehouse.runtimes import disk as disks
from lakehouse.runtimes.disk import freeing, least
from lakehouse.runtimes.findings import Check, CheckContext, Finding, PortHolder, skipped
from lakehouse.runtimes.local import Local
from lakehouse.runtimes.locate import explained
from lakehouse.runtimes.runs import Runs
from lakehouse.runtimes.runtime import Process
from lakehouse.services.service import Service
from lakehouse.spec.source import read

if TYPE_CHECKING:
    from bootstrap.catalogs.metrics import TableMetrics
    from bootstrap.iceberg.metadata import CatalogFacts, TableFacts


_LATEST = 5  # lines of a log that belong to the last request


@dataclass
class StackChecks:
    """A stack's own checks. What several of them need is observed once."""

    target: Target
    around: Surroundings
    local: Local = field(init=False)

    def __post_init__(self) -> None:
        self.local = self.target.located

    @cached_property
    def processes(self) -> Mapping[str, Process]:
        return self.local.runtime.processes()

    @cached_property
    def healthy(self) -> Mapping[str, bool]:
        return self.local.runtime.healthy()

    @cached_property
    def holders(self) -> list[PortHolder]:
        """Who else listens on the stack's ports."""
        place = self.local.place
        wanted = {
            each.name: [
                replace(port, number=place.external(port.name).port)
                for port in each.ports
                if not (port.inner and self.local.runtime.apart)
            ]
            for each in self.local.services
        }
        return [explained(each) for each in self.local.runtime.holders(wanted)]

    @cached_property
    def unreachable(self) -> Sequence[str]:
        """Services that run, and that nothing reaches."""
        return self.local.runtime.unreachable()

    @property
    def root(self) -> Path:
        return self.local.state.root

    def checks(self) -> Iterator[Check]:
        name, local = self.target.stack, self.local
        at = local.endpoints.store
        key = probes.access_key(local.state)
        ways = filter(None, ("`lakehouse maintain` removes old snapshots", freeing(self.root)))
        room = f"free disk space there ({'; '.join(ways)}), or name another folder: `stacks.{name}.state`"
        yield Check("aws variables", lambda: shell.aws(self.around.environment, at.external, key))
        if not local.runtime.remote:  # else its own checks show the memory of its machines
            yield Check("memory", self.memory)
        yield Check("disk", lambda: disks.finding(least(local.runtime.folders()), room, local.runtime.closed()))
        yield Check("state folder", lambda: machine.state(probes.state_folder(self.root), probes.another(local)))
        own = list(local.runtime.checks(self._context()))
        yield from (each for each in own if "stack" not in each.after)
        yield Check("hosts", self.hosts)
        yield Check("ports", lambda: services.ports(self.holders, len(local.ports), name), after=("docker",))
        yield Check("stack", self.running, after=("docker",))
        yield Check("definitions", self.definitions, after=("stack",))
        for service in local.services:
            after = ("stack", *(f"service {need}" for need in service.needs))
            yield Check(f"service {service.name}", self._service(service), after)
        yield from (each for each in own if "stack" in each.after)  # of what runs
        yield Check("store", lambda: self.answer(at.external, at.service), after=("names", f"service {at.service}"))
        yield Check("clock", self.clock, after=("store",))
        yield Check("keys", self.keys, after=("clock", "state folder"))
        yield Check("buckets", self.buckets, after=("keys",))
        if probes.further_secrets(local.services):
            yield Check("secrets", self.secrets, after=("stack", "state folder"))
        if any(each.kind in ("certificate", "tokens") for each in credentials.known(local.everything).values()):
            yield Check("certificates", self.certificates, after=("stack", "state folder"))
        if self.timed is not None:
            yield Check("schedule", lambda: timed.finding(self.timed or (), Runs(local.state)), after=("stack",))
        for each in local.endpoints.catalogs:
            yield from self._catalog(each)
        if (trino := self.target.lakehouse.engines.trino) is not None:
            for further in trino.catalogs:
                yield self._by_trino(further, "hosts", of_the_file=True)
        named = [each.name for each in local.endpoints.catalogs]
        right = ("buckets", *(f"catalog {each}" for each in named), *(f"database of {each}" for each in named))
        yield Check("tables", self.locations, after=right)
        yield Check("readable", self.readable, after=right)
        yield Check("contents", self.contents, after=right)
        yield Check("table files", self.table_files, after=("tables",))
        if self.target.lakehouse.pipelines:
            engines = tuple(f"service {each}" for each in self.target.lakehouse.pipeline_engines)
            limits = pipelines.limits(self.target.lakehouse, self.target.stack)
            yield Check("pipelines", lambda: pipelines.finding(look(self.target), limits), after=engines)
        if self.target.lakehouse.engines.trino is not None:
            reading = ("proxy", "service trino", "tables", "table files", *(f"trino: {each}" for each in named))
            yield Check("trino reads", lambda: self.read_by_trino(named), after=reading)
            yield Check("trino memory", self.memory_of_trino, after=("proxy", "service trino"))

    @property
    def timed(self) -> Sequence[str] | None:
        """The tasks of the stack's schedule; None if it has none."""
        options = self.target.lakehouse.stacks[self.target.stack]
        schedule = getattr(options, "schedule", None)
        return None if schedule is None else list(schedule.times)

    # what each examines

    def memory(self) -> Finding:
        total, available = probes.memory()
        running = [name for name, each in self.processes.items() if each.up]
        return machine.memory(total, available, self._wanted(), running, self.target.stack)

    def hosts(self) -> Finding:
        local = self.local
        source = read(self.target.path)
        ports = {
            each.name: (each.ports[0].scheme, local.place.external(each.ports[0].name), each.ports[0].number)
            for each in local.services
            if each.ports
        }
        views = files.Views(
            containers=local.runtime.apart,
            external={name: at.url(scheme) for name, (scheme, at, _) in ports.items()},
            internal={
                name: f"{scheme}://{local.place.host(name)}:{number}" for name, (scheme, _, number) in ports.items()
            },
        )

        def resolves(host: str, in_container: bool) -> bool | None:
            if not in_container:
                return probes.resolves(host)
            answer = local.runtime.resolves(host)
            return True if answer is None else answer  # None: nothing runs that could be asked

        found = list(files.named(self.target.lakehouse))
        return files.hosts(found, resolves, views, lambda at: f"{self.target.path.name}:{source.line(at)}")

    def running(self) -> Finding:
        left = bool(self.processes) or any(self.local.state.conf_d.glob("*.conf"))
        named = [each.name for each in self.local.services]
        return services.running(self.processes, named, left, self.target.stack)

    @cached_property
    def changed(self) -> list[str]:
        """Services that run as another file defined them, or with credentials that are to be replaced."""
        local = self.local
        return [*local.runtime.changed(generations.plan(local.state, local.everything, local.credentials, local.given))]

    def definitions(self) -> Finding:
        unnamed = sorted(self.processes.keys() - {each.name for each in self.local.services})
        by_hand = [name for name in self.local.runtime.edited() if name not in self.changed]
        return services.definitions(self.changed, by_hand, unnamed, self.target.stack)

    def answer(self, endpoint: str, service: str) -> Finding:
        answer = probes.ask(endpoint, trust=self.local.endpoints.store.trust)
        return store.reached(endpoint, answer, service, self.target.stack)

    def clock(self) -> Finding:
        at = self.local.endpoints.store
        return store.clock(probes.ask(at.external, trust=at.trust), self.around.now())

    def keys(self) -> Finding:
        state = self.local.state
        folder = str(self.root / "secrets")
        missing = probes.missing_secrets(state)
        if missing:
            return store.keys(missing, "", [], folder, self.target.stack)
        _, refused = probes.listed_buckets(self.local)
        stale = probes.written_otherwise(self.local.services, state)
        return store.keys([], refused, stale, folder, self.target.stack)

    def secrets(self) -> Finding:
        """The secrets other than the store's keys, such as passwords of databases, of services that run as defined."""
        state = self.local.state
        some = [each for each in self.local.services if each.name in self.processes and each.name not in self.changed]
        names = probes.further_secrets(some)
        missing = probes.missing_secrets(state, names)
        stale = [] if missing else probes.written_otherwise(some, state, names)
        return store.secrets(missing, stale, str(self.root / "secrets"), self.target.stack)

    def database(self, of: CatalogEndpoint) -> Finding:
        if of.kind.reads:
            url = f"{of.uri}{of.kind.reads}"
            answer = probes.ask(url, self._proof(of, url), trust=of.trust)
        else:
            failure = self.listed(of.name)
            answer = Answer(200) if failure is None else Answer(reason=str(failure))
        log = [line for need in of.kind.needs for line in probes.log(self.local, need)[-_LATEST:]]
        return catalogs.database(of.service, answer, log, self.target.stack)

    def signed(self, of: CatalogEndpoint) -> Finding:
        url = f"{of.uri}/v1/{of.warehouse}/namespaces"
        asked = {"Accept": "application/json"}
        proof = connect.catalog(of, self.local.state.value).auth.headers("GET", url, asked, None)
        answer = probes.ask(url, {**asked, **proof}, trust=of.trust)
        return catalogs.signed(of.name, of.service, of.uri, answer, self.target.stack)

    def listed(self, catalog: str) -> RemoteError | None:
        """Why a catalog that is not asked over HTTP does not list its contents; None if it does."""
        from bootstrap import catalogs as live
        from bootstrap.session.connect import connect

        _, connections = connect(self.target.path, self.target.stack)
        try:
            live.connect(catalog, replace(connections, patience=10.0)).facts((), lambda read, of: None)
        except RemoteError as failure:
            return failure
        return None

    def certificates(self) -> Finding:
        local = self.local
        theirs = probes.given(local) if local.given is not None else frozenset()
        return endings.finding(probes.endings(local), self.around.now(), local.given, theirs)

    def buckets(self) -> Finding:
        there, _ = probes.listed_buckets(self.local)
        return store.buckets(there, list(self.target.lakehouse.buckets))

    def contents(self) -> Finding:
        from bootstrap.reconciler.reconcile import make_plan
        from bootstrap.reconciler.world import World
        from bootstrap.session.connect import connect

        lakehouse, connections = connect(self.target.path, self.target.stack)
        made = make_plan(lakehouse, World.of(replace(connections, patience=10.0)))
        return catalogs.contents(made.counts(), len(made.refused))

    @cached_property
    def live(self) -> Mapping[str, CatalogFacts]:
        """Every table and view of every catalog."""
        from bootstrap.reconciler.facts import gather
        from bootstrap.reconciler.world import World
        from bootstrap.session.connect import connect

        lakehouse, connections = connect(self.target.path, self.target.stack)
        return gather(lakehouse, World.of(replace(connections, patience=10.0)), everything=True).catalogs

    @property
    def tables(self) -> dict[str, TableFacts]:
        """Every table of every catalog, by its full name."""
        return {f"{catalog}.{table}": of for catalog, all_ in self.live.items() for table, of in all_.tables.items()}

    def locations(self) -> Finding:
        return catalogs.locations(claims.live(self.live), len(self.tables))

    def readable(self) -> Finding:
        from bootstrap.iceberg import rules

        return catalogs.readable({table: rules.messages(of) for table, of in self.tables.items()})

    @cached_property
    def measured(self) -> tuple[list[TableMetrics], dict[str, str], int]:
        """The metrics of tables, why others could not be read, and how many were not looked at."""
        return probes.measured(self.target)

    def table_files(self) -> Finding:
        return speed.tables(*self.measured)

    def read_by_trino(self, named: Sequence[str]) -> Finding:
        _, unreadable, _ = self.measured  # a table with a missing file says nothing about Trino
        whole = {name: of for name, of in self.tables.items() if name not in unreadable}
        tables = [table for each in named if (table := engines.sample(each, whole))]
        failed = ((table, engines.failure(self.target, table, engines.manifests(table))) for table in tables)
        table, why = next(((table, why) for table, why in failed if why), (", ".join(tables), ""))
        return catalogs.read_by_engine("trino", table, why, self.local.endpoints.store.internal, self.target.stack)

    def memory_of_trino(self) -> Finding:
        return speed.memory(*engines.memory(self.target), self.target.stack)

    # checks that exist several times

    def _service(self, service: Service) -> Callable[[], Finding]:
        def look() -> Finding:
            if service.name in self.unreachable:
                return skipped("names")
            process, healthy = self.processes.get(service.name), self.healthy[service.name]
            ended = not healthy and self.local.runtime.starved(service.name)
            log = [] if healthy else probes.log(self.local, service.name)
            former = not healthy and service.name in self.changed
            seen = services.ServiceSeen(service.name, healthy, process, service.probe.patience, log, ended, former)
            return services.service(seen, [each.port for each in self.holders], self.target.stack)

        return look

    def _catalog(self, endpoint: CatalogEndpoint) -> Iterator[Check]:
        uri, name = endpoint.uri, endpoint.name

        def look() -> Finding:
            url = f"{uri}/v1/config?warehouse={endpoint.warehouse}"
            try:
                answer = probes.ask(url, self._proof(endpoint, url), trust=endpoint.trust)
            except Refused as failure:
                return catalogs.unproven(endpoint.service, str(failure))
            creates = endpoint.kind.storage is not None
            return catalogs.answers(name, endpoint.service, uri, answer, self.target.stack, creates=creates)

        after = ["store", *([f"service {endpoint.service}"] if endpoint.service else [])]
        if endpoint.kind.signs:
            yield Check(f"catalog {name}", lambda: self.signed(endpoint), after=(*after, "keys"))
            after = [f"catalog {name}"]
        if endpoint.kind.rest or endpoint.kind.reads:
            yield Check(f"catalog {name}", look, after=tuple(after))
            after = [f"catalog {name}"]
        if (account := endpoint.kind.account(endpoint)) is not None:
            where = uri or f"Glue in {account.region}"
            yield Check(
                f"catalog {name}",
                lambda: catalogs.of_account(name, where, self.listed(name), self.target.stack),
                after=(*after, "secrets"),
            )
            after = [f"catalog {name}"]
        if endpoint.kind.needs:
            yield Check(f"database of {name}", lambda: self.database(endpoint), after=(*after, "secrets"))
            after = [f"database of {name}"]
        if self.target.lakehouse.engines.trino is not None:
            yield self._by_trino(name, *after)

    def _proof(self, endpoint: CatalogEndpoint, url: str) -> Mapping[str, str]:
        """What proves to a catalog's server who asks. Raises Refused if it does not believe that."""
        login, state = endpoint.kind.login, self.local.state
        shown = login.credential.value if login is not None else endpoint.kind.token(endpoint)
        if shown is None or not state.kept(shown.secret).is_file():  # none is made by a look
            return {}
        try:
            return connect.catalog(endpoint, state.value).auth.headers("GET", url, {}, None)
        except (Unreachable, UnknownState, Throttled):
            return {}  # what answers there, if anything, is seen without

    def _by_trino(self, catalog: str, *after: str, of_the_file: bool = False) -> Check:
        """Whether Trino sees a catalog; one that is only ``of_the_file`` is checked only once the file was deployed."""

        def look() -> Finding:
            if of_the_file and "trino" in self.changed:
                return skipped("definitions")
            failure = engines.failure(self.target, catalog, engines.schemas(catalog))
            return catalogs.seen_by_engine("trino", catalog, failure, self.target.stack)

        return Check(f"trino: {catalog}", look, after=("proxy", "service trino", *after))

    def _context(self) -> CheckContext:
        environment = self.around.environment
        program = terraform.find(environment) or "terraform"
        return CheckContext(self.target.stack, self.target.path.parent, environment, program, self._wanted())

    def _wanted(self) -> dict[str, int]:
        return {each.name: each.memory_mb for each in self.local.services}
