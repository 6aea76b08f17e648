// The trial of the event stream for a CMP: graphql-ws clients at a gateway process, with the system subgraph behind it over HTTP. Both are
// repeatedly killed and stopped, as are the worker and Redis. Each client's own log is the oracle.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisPrefix } from '../compose/places.ts';
import { GraphClient } from '../measure/graph-client.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { startWholeSystem, type WholeSystem } from '../measure/whole-system.ts';
import { CursorSealer } from '../platform/secrets/cursor-sealer.ts';
import { keyFilePath } from '../platform/secrets/key-folder.ts';
import { openKeyring } from '../platform/secrets/keyring.ts';
import { LocalContext } from '../tests/support/product/test-context.ts';
import { brokenInvariantsAt } from '../tests/support/stores/invariants.ts';
import type { TrialRun } from './define-trial.ts';
import { FailureTurns } from './events/failure-turns.ts';
import { type FailureCounts, GatewayFailures } from './events/gateway-failures.ts';
import { planOf, type ReaderPlan } from './events/gateway-plans.ts';
import { GatewayReader } from './events/gateway-reader.ts';
import { sequencedTable } from './events/status-table.ts';
import { type ClientVerdict, judgeItems, type TableRow } from './events/verdict.ts';
import { eventKey, Writers } from './events/writers.ts';
import { seededRandom } from './random.ts';

interface GatewayEventTrialsOptions extends TrialRun {
  /** Number of events; default 10000. */
  readonly events?: number;
  /** Events per round; default 500. */
  readonly perRound?: number;
  /** How long one transaction of each round stays open. Default 3000. */
  readonly holdMs?: number;
  readonly writers?: number;
  readonly readers?: number;
  /** Data folder with logs; it is not removed. */
  readonly folder: string;
}

interface GatewayEventTrialsResult extends ClientVerdict, FailureCounts {
  readonly seed: number;
  readonly events: number;
  /** Acknowledged writes that are missing from the table. */
  readonly lost: number;
  /** Broken invariants of the tables. */
  readonly invariants: number;
  readonly readers: number;
  /** Clients whose stream ended, or that received something other than an item. */
  readonly clientsEnded: number;
  readonly faults: readonly string[];
  readonly deliveries: number;
  readonly drops: number;
  readonly connections: number;
  /** The time from the acknowledged commit to a client that reads everything, including all failures. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly seconds: number;
}

interface Client {
  readonly plan: ReaderPlan;
  readonly reader: GatewayReader;
}

const settleMs = 60_000;
const mostFaults = 20;
const longestPauseMs = 600;
const longestReadMs = 2_000;

export async function runGatewayEventTrials(options: GatewayEventTrialsOptions): Promise<GatewayEventTrialsResult> {
  const { seed, events = 10_000, perRound = 500, holdMs = 3_000, writers = 8, readers = 16 } = options;
  const { folder, signal, progress } = options;
  const startedMs = performance.now();
  await using cleanup = new AsyncDisposableStack();
  const own = <T extends { stop(): Promise<unknown> }>(resource: T): T => {
    cleanup.defer(async () => void (await resource.stop()));
    return resource;
  };
  const apart = { folder, lab: false, relays: 0, gatewayApart: true };
  const system = own(await startWholeSystem({ ...apart, ...(signal === undefined ? {} : { signal }) }));
  const { connection, projectId } = system;
  const redis = { path: system.redisPath, prefix: redisPrefix };
  const ground = own(new LocalContext({ connection, connectionLimit: writers + 2 }, { redis }));
  const writing = new Writers({ ...ground, random: seededRandom(seed), writers, holdMs, projectId });
  await writing.prepare();

  const keys = await openKeyring(keyFilePath(join(folder, 'keys'), 'subgraphs'));
  const cursors = new CursorSealer(keys);
  const beginning = await statusCursor(system);
  const clients = Array.from({ length: readers }, (_, index): Client => {
    const plan = planOf(index, projectId, writing.subjects);
    // It has its own generator, because the number of its values depends on the machine and must not shift the failures.
    const random = seededRandom(seed + 2 + index);
    const { url, token } = system;
    const after = plan.fromNow ? undefined : beginning;
    const longestMs = plan.steady ? undefined : longestReadMs;
    const reader = own(
      new GatewayReader({ url, token, cursors, filter: plan.filter, fields: plan.fields, after, random, longestMs }),
    );
    return { plan, reader };
  });
  await Promise.all(clients.map(({ reader }) => reader.start()));
  for (const { reader } of clients) reader.startDropping();

  const random = seededRandom(seed + 1);
  const dropAll = () => {
    for (const { reader } of clients) reader.drop();
  };
  const failures = new GatewayFailures({ system, random, dropAll });
  const turns = own(new FailureTurns(failures.all(), { random, longestPauseMs }));
  turns.start();
  for (let written = 0; written < events && options.timeIsUp?.() !== true; written += perRound) {
    signal?.throwIfAborted();
    await writing.round(Math.min(perRound, events - written));
    progress?.(`${writing.written.length} of ${events} events written; ${JSON.stringify(failures.counts)}`);
  }
  await turns.finish();
  // From now on, no new connection may hide a hanging one.
  await Promise.all(clients.map(({ reader }) => reader.stopDropping()));

  const table = await sequencedTable(ground.db, projectId);
  const verdicts = await judgeClients(clients, table);
  const broken = await brokenInvariantsAt(connection);
  for (const each of broken) progress?.(each);
  verdicts.forEach((verdict, index) => {
    if (Object.values(verdict).some((count) => count > 0))
      progress?.(`client ${index} ${JSON.stringify(clients[index]?.plan.filter)}: ${JSON.stringify(verdict)}`);
  });
  const recorded = new Set(table.map(eventKey));
  const arrivalsMs = arrivalsAt(clients[0]);
  const delaysMs = writing.written.flatMap((event) => {
    const atMs = arrivalsMs.get(eventKey(event));
    return atMs === undefined ? [] : [atMs - event.committedAtMs];
  });
  const count = (of: (client: Client) => number) => clients.reduce((total, client) => total + of(client), 0);
  return {
    seed,
    events: writing.written.length,
    ...sum(verdicts),
    lost: writing.written.filter((event) => !recorded.has(eventKey(event))).length,
    invariants: broken.length,
    readers,
    clientsEnded: count(({ reader }) => (reader.faults.length > 0 ? 1 : 0)),
    faults: clients.flatMap(({ reader }) => reader.faults).slice(0, mostFaults),
    deliveries: count(({ reader }) => reader.received),
    drops: count(({ reader }) => reader.drops),
    connections: count(({ reader }) => reader.connections),
    ...failures.counts,
    p50Ms: rounded(percentile(delaysMs, 0.5), 1),
    p99Ms: rounded(percentile(delaysMs, 0.99), 1),
    seconds: Math.round((performance.now() - startedMs) / 1_000),
  };
}

/** Like a client before it takes a snapshot. */
async function statusCursor({ url, token }: WholeSystem): Promise<string> {
  const graph = new GraphClient(url, 1);
  try {
    return (await graph.ask<{ statusCursor: string }>('{ statusCursor }', {}, token)).statusCursor;
  } finally {
    await graph.close();
  }
}

/** Waits until all clients have all their events or the time is up, then stops and judges them. */
async function judgeClients(clients: readonly Client[], table: readonly TableRow[]): Promise<readonly ClientVerdict[]> {
  const owed = clients.map(({ plan, reader }) => {
    const start = reader.beginning ?? 0;
    return table.filter((row) => row.seq > start && plan.wants(row));
  });
  const untilMs = performance.now() + settleMs;
  const waits = () => clients.some(({ reader }, index) => reader.received < (owed[index]?.length ?? 0));
  while (waits() && performance.now() < untilMs) await sleep(20);
  // If there are repeated events, they arrive now.
  await sleep(300);
  await Promise.all(clients.map(({ reader }) => reader.stop()));
  return clients.map(({ reader }, index) => judgeItems(reader.items, owed[index] ?? []));
}

function arrivalsAt(client: Client | undefined): ReadonlyMap<string, number> {
  const entries = client?.reader.items.flatMap(({ event, atMs }) =>
    event === undefined ? [] : [[eventKey(event), atMs] as const],
  );
  return new Map(entries);
}

function sum(verdicts: readonly ClientVerdict[]): ClientVerdict {
  const total = { gaps: 0, duplicates: 0, outOfOrder: 0, wrong: 0, falseCheckpoints: 0 };
  for (const verdict of verdicts)
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += verdict[name];
  return total;
}
