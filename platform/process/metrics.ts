// Prometheus metrics of a process: its own registry (nothing global); platform's components are read at each scrape.
import type { Redis } from 'ioredis';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Database } from '../database/database.ts';
import type { StatusFeed } from '../events/feed.ts';
import type { Sequencer } from '../events/sequencer.ts';
import type { Leases } from '../leases/leases.ts';
import type { OwedWork } from '../owed/owed-work.ts';
import type { HaStatus } from './ha-cluster.ts';
import type { ProgramVersion } from './program-version.ts';

interface PlatformDependencies {
  readonly db: Database;
  readonly sequencer?: Sequencer;
  readonly leases?: Leases;
  readonly owedWork?: OwedWork;
  readonly redis?: Redis;
}

/** A registry with the process's own metrics (CPU, memory, event loop). */
export function createMetrics(): Registry {
  const registry = new Registry();
  // Its timer is the most frequent one of an idle process: by itself it would wake it 100 times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  return registry;
}

/** Adds the version and the roles of this process, as labels. */
export function addBuildInfo(registry: Registry, program: ProgramVersion, roles: readonly string[]): void {
  const { version, commit = '' } = program;
  const labels = ['version', 'commit', 'roles'];
  gauge(registry, 'tidegate_build_info', '1; version, commit and roles of this process', labels, (set) =>
    set(1, { version, commit, roles: [...roles].sort().join() }),
  );
}

/** Adds the metrics of platform's components. While the database is not available, only its metrics are missing from the scrape. */
export function addPlatformMetrics(registry: Registry, dependencies: PlatformDependencies): void {
  const { db, sequencer, leases, owedWork, redis } = dependencies;
  gauge(registry, 'tidegate_database_connections', 'Connections of the pool by use', ['use'], (set) => {
    const { active, total, waiting } = db.poolFigures();
    set(active, { use: 'active' });
    set(total - active, { use: 'idle' });
    set(waiting, { use: 'awaited' });
  });
  if (sequencer !== undefined) {
    gauge(registry, 'tidegate_sequencer_elected', '1 in the process whose sequencer is elected', [], (set) =>
      set(sequencer.figures().elected ? 1 : 0),
    );
    counter(
      registry,
      'tidegate_sequencer_events_total',
      'Events sequenced by this process',
      () => sequencer.figures().sequenced,
    );
    gauge(
      registry,
      'tidegate_sequencer_lag_seconds',
      'Age of the oldest event without a sequence number',
      [],
      async (set) => set((await sequencer.lagMs()) / 1000),
    );
  }
  if (leases !== undefined) {
    gauge(registry, 'tidegate_leases_held', 'Leases this process holds', [], (set) => set(leases.figures().held));
    counter(registry, 'tidegate_leases_lost_total', 'Leases lost since the start', () => leases.figures().lost);
    counter(
      registry,
      'tidegate_lease_renewals_total',
      'Renewals of all leases of this process that were written',
      () => leases.renewals.written,
    );
    counter(
      registry,
      'tidegate_lease_renewal_failures_total',
      'Renewals of all leases of this process that failed, and were tried again',
      () => leases.renewals.failed,
    );
  }
  if (owedWork !== undefined) addOwedWork(registry, owedWork);
  if (redis !== undefined) addRedis(registry, redis);
}

function addOwedWork(registry: Registry, owedWork: OwedWork): void {
  // Both metrics of a scrape are read at once, with the same statements.
  let reading: ReturnType<OwedWork['figures']> | undefined;
  const figures = () => {
    reading ??= owedWork.figures().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const help = 'Rows of owed work: due, or dead because they keep failing';
  gauge(registry, 'tidegate_owed_work_rows', help, ['state'], async (set) => {
    const { due, dead } = await figures();
    set(due, { state: 'due' });
    set(dead, { state: 'dead' });
  });
  gauge(registry, 'tidegate_owed_work_oldest_seconds', 'How long the oldest due row has waited', [], async (set) =>
    set((await figures()).oldestMs / 1000),
  );
}

function addRedis(registry: Registry, redis: Redis): void {
  let ready = redis.status === 'ready' ? 1 : 0;
  redis.on('ready', () => {
    ready += 1;
  });
  gauge(registry, 'tidegate_redis_connected', '1 while this process is connected to Redis', [], (set) =>
    set(redis.status === 'ready' ? 1 : 0),
  );
  counter(registry, 'tidegate_redis_reconnects_total', 'Times that a lost connection to Redis was made again', () =>
    Math.max(0, ready - 1),
  );
}

/** Adds the metrics of the cluster of hosts, as it was seen last, at `atMs` (`performance.now()`). */
export function addHaMetrics(
  registry: Registry,
  seen: () => { readonly status: HaStatus; readonly atMs: number } | undefined,
): void {
  const figure = (name: string, help: string, of: (status: HaStatus) => number) =>
    gauge(registry, name, help, [], (set) => {
      const status = seen()?.status;
      if (status !== undefined) set(of(status));
    });
  figure('tidegate_ha_copies', 'Hosts that have the next acknowledged write', ({ copies }) => copies);
  figure('tidegate_ha_epoch', 'Timeline of the database, by its hosts', ({ epoch }) => epoch);
  figure('tidegate_ha_paused', '1 while no host takes over from a lost primary', ({ paused }) => (paused ? 1 : 0));
  gauge(registry, 'tidegate_ha_host', '1 for the present state of a host', ['host', 'state'], (set) => {
    for (const { name, state } of seen()?.status.hosts ?? []) set(1, { host: name, state });
  });
  gauge(registry, 'tidegate_ha_behind', 'Transactions that a host has not received', ['host'], (set) => {
    for (const { name, behind } of seen()?.status.hosts ?? []) if (behind !== null) set(behind, { host: name });
  });
  const endHelp = 'When the first certificate of a host ends (Unix time)';
  gauge(registry, 'tidegate_ha_certificate_end_seconds', endHelp, ['host'], (set) => {
    for (const { name, certificatesEndAt } of seen()?.status.hosts ?? [])
      if (certificatesEndAt != null) set(Date.parse(certificatesEndAt) / 1000, { host: name });
  });
  const scheduledHelp = 'Time of the scheduled switchover (Unix time); absent if there is none';
  gauge(registry, 'tidegate_ha_switchover_scheduled_seconds', scheduledHelp, ['host'], (set) => {
    const scheduled = seen()?.status.scheduled;
    if (scheduled != null) set(Date.parse(scheduled.at) / 1000, { host: scheduled.to });
  });
  gauge(registry, 'tidegate_ha_delay_seconds', 'Longest delay of a part in ten seconds', ['host', 'part'], (set) => {
    for (const { name: host, delays } of seen()?.status.hosts ?? []) {
      if (delays === null || delays === undefined) continue;
      const { agentMs: agent, etcdMs: etcd, commitMs: commit } = delays;
      for (const [part, ms] of Object.entries({ agent, etcd, commit })) set(ms / 1_000, { host, part });
    }
  });
  gauge(registry, 'tidegate_ha_pressure_ratio', 'Share of time in which work waited', ['host', 'resource'], (set) => {
    for (const { name: host, delays } of seen()?.status.hosts ?? [])
      for (const [resource, percent] of Object.entries(delays?.pressure ?? {})) set(percent / 100, { host, resource });
  });
  gauge(registry, 'tidegate_ha_seen_ago_seconds', 'Since the hosts were last heard', [], (set) => {
    const last = seen();
    if (last !== undefined) set((performance.now() - last.atMs) / 1000);
  });
}

/** Adds the age of the last check-in of each job that an alert rule watches, such as backups. `read`: seconds by rule. */
export function addCheckInMetrics(registry: Registry, read: () => Promise<ReadonlyMap<string, number>>): void {
  const help = 'Since a job last checked in at its rule with CHECK_IN_LATE';
  gauge(registry, 'tidegate_check_in_age_seconds', help, ['rule'], async (set) => {
    for (const [rule, seconds] of await read()) set(seconds, { rule });
  });
}

/** Adds the metrics of this process's reader of the status stream. */
export function addFeedMetrics(registry: Registry, feed: StatusFeed): void {
  gauge(registry, 'tidegate_feed_position', 'Newest status event this process has read', [], (set) =>
    set(feed.figures().seq),
  );
  gauge(registry, 'tidegate_feed_subscriptions', 'Readers of the status stream', [], (set) =>
    set(feed.figures().subscriptions),
  );
  gauge(registry, 'tidegate_feed_read_ago_seconds', 'Since the status stream was last read', [], (set) =>
    set(feed.figures().readAgoMs / 1000),
  );
  gauge(
    registry,
    'tidegate_feed_unread_seconds',
    'Age of the oldest status event in this process that a reader which had caught up has not read',
    [],
    (set) => set(feed.figures().unreadMs / 1000),
  );
}

type Set = (value: number, labels?: Record<string, string>) => void;

function gauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  read: (set: Set) => void | Promise<void>,
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      this.reset();
      try {
        await read((value, labels = {}) => this.set(labels, value));
      } catch {
        // Unknown is not zero.
        if (labelNames.length === 0) this.set(Number.NaN);
      }
    },
  });
}

function counter(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}
