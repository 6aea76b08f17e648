// The relay subgraph, put together: backends, the calls relayed to them, and the resulting mappings. Its dependencies are passed
// in and belong to the caller; it owns the sessions to the devices and its leases.
import type { Registry } from 'prom-client';
import type { Resolvers } from '../../generated/graph/relay.ts';
import { attentionResolvers, measureAttention } from '../../platform/attention/attention.ts';
import type { Commits } from '../../platform/database/commits.ts';
import type { Database } from '../../platform/database/database.ts';
import type { Mutations } from '../../platform/edge/mutation.ts';
import type { StatusFeed } from '../../platform/events/feed.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import type { Leases } from '../../platform/leases/leases.ts';
import { ProcessLease } from '../../platform/leases/process-lease.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { SlowLog } from '../../platform/log/slow-log.ts';
import type { EgressPolicy } from '../../platform/net/egress.ts';
import type { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import type { Sealer } from '../../platform/secrets/seal.ts';
import { Loop } from '../../platform/work/loop.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { relayAttention } from './control/attention.ts';
import { BackendReads } from './control/backends/backend-reads.ts';
import { backendResolvers } from './control/backends/backend-resolvers.ts';
import { BackendService } from './control/backends/backend-service.ts';
import { driverResolvers } from './control/backends/driver-resolvers.ts';
import { ProofReader } from './control/backends/proof-reader.ts';
import { CallAnswers } from './control/calls/answer.ts';
import { callResolvers } from './control/calls/call-resolvers.ts';
import { CallService } from './control/calls/call-service.ts';
import { EndWaiter } from './control/calls/end-waiter.ts';
import { JobWatcher } from './control/calls/job-watcher.ts';
import { ReadService } from './control/calls/read-service.ts';
import { SettleService } from './control/calls/settle-service.ts';
import { CallTaker } from './control/calls/take.ts';
import { feedResolvers } from './control/feeds.ts';
import { BackendManager } from './control/holding/backend-manager.ts';
import { createCallMetrics } from './control/holding/call-metrics.ts';
import { Completions } from './control/holding/completions.ts';
import { DeviceReader } from './control/holding/device-reader.ts';
import { queueResolvers } from './control/holding/queue-resolvers.ts';
import { endedSince, lockObject } from './control/journal/claim-store.ts';
import { Journal } from './control/journal/journal.ts';
import { OperationReads } from './control/journal/operation-reads.ts';
import { operationResolvers } from './control/journal/operation-resolvers.ts';
import { anyActs } from './control/journal/operation-store.ts';
import { Recovery } from './control/journal/recovery.ts';
import { VerdictRecorder } from './control/journal/verdict-recorder.ts';
import { MappingChangeFeed } from './control/mappings/change-feed.ts';
import { MappingReads } from './control/mappings/mapping-reads.ts';
import { mappingResolvers } from './control/mappings/mapping-resolvers.ts';
import { MappingService } from './control/mappings/mapping-service.ts';
import { orphanMappings } from './control/mappings/orphans.ts';
import { addRelayMetrics } from './control/metrics.ts';
import { SecretArguments } from './control/model/secret-arguments.ts';
import { defaultSettings, type RelaySettings } from './control/settings.ts';
import type { Driver } from './drivers/driver.ts';
import { drivers as allDrivers } from './drivers/registry.ts';
import { createTransport } from './transports/factories.ts';
import type { TransportFactory } from './transports/session.ts';

export interface RelaySubgraphOptions {
  /** Complete (platform/graph/sdl.ts). */
  readonly sdl: string;
  readonly db: Database;
  readonly feed: StatusFeed;
  readonly wake: Wake;
  readonly leases: Leases;
  readonly commits: Commits;
  readonly cursors: CursorSealer;
  readonly mutations: Mutations;
  readonly sealer: Sealer;
  /** For every connection to a backend. */
  readonly egress: EgressPolicy;
  readonly log: Logger;
  /** UUID of this incarnation of the process: its calls are recovered when its lease has expired. */
  readonly owner: string;
  /** The process's display name. */
  readonly name: string;
  readonly registry?: Registry;
  readonly slow?: SlowLog | undefined;
  readonly drivers?: ReadonlyMap<string, Driver>;
  readonly transports?: TransportFactory;
  readonly settings?: Partial<RelaySettings>;
}

export interface RelaySubgraph extends Subgraph {
  /** Accepts calls from here on. Throws when the database is not available. */
  start(): Promise<void>;
  /** Refuses new calls, and waits for calls on the wire. */
  drain(): Promise<void>;
  /** Closes all sessions and releases the leases. */
  stop(): Promise<void>;
}

export function createRelaySubgraph(options: RelaySubgraphOptions): RelaySubgraph {
  const { db, sdl, commits, cursors, registry, feed } = options;
  const holding = holdingParts(options);
  const reads = { backends: new BackendReads(db), mappings: new MappingReads(db), operations: new OperationReads(db) };
  const work = callParts(options, holding, reads);
  const attention = relayAttention({ db, ...reads });
  const { manager, recorder } = holding;
  if (registry !== undefined) addRelayMetrics(registry, { db, manager, recorder });
  measureAttention(registry, attention);
  const resolvers: readonly Resolvers[] = [
    driverResolvers(holding.drivers),
    ...backendParts(options, holding, reads),
    operationResolvers({ ...reads, reads: reads.operations }),
    ...callGraph(options, work, reads),
    feedResolvers({ db, feed }),
    attentionResolvers(attention),
  ];
  return {
    ...createSubgraph({ name: 'relay', sdl, commits, cursors, resolvers }),
    ...lifeOf(options, holding, work),
  };
}

interface Reads {
  readonly backends: BackendReads;
  readonly mappings: MappingReads;
  readonly operations: OperationReads;
}

type HoldingParts = ReturnType<typeof holdingParts>;

/** The journal of calls, and the backends that this process holds. */
function holdingParts(options: RelaySubgraphOptions) {
  const { db, wake, leases, commits, sealer, egress, log, owner } = options;
  const { drivers = allDrivers, transports = createTransport } = options;
  const settings: RelaySettings = { ...defaultSettings, ...options.settings };
  const opener = new SecretArguments(sealer);
  const journal = new Journal({ db, wake, commits, owner });
  const recorder = new VerdictRecorder({ journal, log, mostUnrecorded: settings.mostUnrecorded });
  const completions = new Completions();
  const metrics = createCallMetrics(options.registry, options.slow);
  const manager = new BackendManager({
    ...{ db, leases, owner, wake, journal, recorder, completions, sealer, opener, drivers, transports, egress },
    ...{ settings, log, metrics },
  });
  const reader = new DeviceReader({ db, sealer, drivers, transports, egress, manager, settings, wake });
  return { drivers, settings, opener, journal, recorder, completions, metrics, manager, reader };
}

type CallParts = ReturnType<typeof callParts>;

/** Calls, and what settles them. */
function callParts(
  { db, commits, mutations, feed, leases, log }: RelaySubgraphOptions,
  holding: HoldingParts,
  { operations }: Reads,
) {
  const { drivers, settings, opener, journal, recorder, completions, metrics, manager, reader } = holding;
  const waiter = new EndWaiter({ feed, completions });
  const settling = new SettleService({ db, operations, mutations, journal, reader, drivers, metrics, opener });
  const jobs = new JobWatcher({ look: (id) => settling.lookAtJob(id), settings, log });
  const calls = new CallService({
    ...{ db, commits, mutations, manager, reader, drivers, opener },
    taker: new CallTaker({ db, journal, manager, recorder, waiter, settings }),
    answers: new CallAnswers({ db, commits, waiter, jobs }),
  });
  const recovery = new Recovery({ db, leases, journal, drivers, settings, log, opener });
  const calledReads = new ReadService({ db, drivers, reader });
  return { waiter, settling, jobs, calls, recovery, calledReads };
}

/** The resolvers of backends and of mappings on them. */
function backendParts(
  { db, feed, wake, mutations, sealer, egress, log }: RelaySubgraphOptions,
  { drivers, settings, reader: devices, opener }: HoldingParts,
  { backends, mappings: reads }: Reads,
): readonly Resolvers[] {
  const service = new BackendService({
    ...{ reads: backends, mutations, sealer, wake, drivers, egress, orphan: orphanMappings },
  });
  const mappingService = new MappingService({
    ...{ db, reads, mutations, wake, drivers, devices, opener, lockObject },
    endedSince: (tx, object, at) => endedSince(tx, object, at, settings.queueTimeoutMs),
  });
  return [
    backendResolvers({
      ...{ db, reads: backends, service, drivers },
      proofs: new ProofReader({ drivers, egress, settings, log }),
    }),
    mappingResolvers({
      ...{ reads, service: mappingService, changes: new MappingChangeFeed({ reads, feed }), backends, drivers },
    }),
  ];
}

function callGraph(
  { leases, owner, name }: RelaySubgraphOptions,
  { calls, settling, calledReads }: CallParts,
  { operations, mappings }: Reads,
): readonly Resolvers[] {
  return [
    queueResolvers({ operations, leases, owner, name }),
    callResolvers({ calls, settling, reads: calledReads, mappings }),
  ];
}

function lifeOf(
  { db, wake, leases, owner, log }: RelaySubgraphOptions,
  { manager, reader, recorder, settings }: HoldingParts,
  { calls, waiter, jobs, recovery }: CallParts,
): Pick<RelaySubgraph, 'start' | 'drain' | 'stop'> {
  const life = new ProcessLease({ leases, role: 'relay', owner, log });
  const housekeeping = new Loop({
    name: 'relay housekeeping',
    log,
    pauseMs: () => settings.tickMs,
    rest: { wake },
    run: async () => {
      reader.tick();
      const callsAct = await anyActs(db);
      const ticks = await Promise.allSettled([manager.tick({ callsAct }), callsAct && recovery.tick()]);
      const failed = ticks.find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
      return !callsAct && 'rest';
    },
  });
  let drained: Promise<void> | undefined;
  const drain = (): Promise<void> => {
    calls.drain();
    waiter.drain();
    jobs.drain();
    drained ??= manager.drain(settings.drainMs);
    return drained;
  };
  return {
    async start() {
      await life.start();
      housekeeping.start();
    },
    drain,
    async stop() {
      await housekeeping.stop();
      await drain();
      await reader.close();
      await jobs.stop();
      await recorder.stop();
      await recovery.stop();
      await life.stop();
    },
  };
}
