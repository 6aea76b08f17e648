// Brings failed servers back. Owed for each of them until it has caught up. Once it answers again, it gets every change like the others. Then the
// names that changed before are published on it, and finally it counts.
import type { Database } from '../../platform/database/database.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { OwedQueue } from '../../platform/owed/owed-queue.ts';
import { type ClaimedJob, finishOwed, owe, reconcilingRetry } from '../../platform/owed/owed-work.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { driftKind } from '../records/record-store.ts';
import { DnsError } from '../servers/dns-error.ts';
import {
  oweUnpublished,
  pageOfUnpublished,
  readById,
  readZone,
  recordDriftCheck,
  wantedOf,
  type ZoneRow,
  zonesOfBackend,
} from './publication-store.ts';
import {
  beginReturn,
  deleteServer,
  endReturn,
  isServerFault,
  type KnownServer,
  readServers,
  recordServerFailure,
  serverKind,
} from './server-states.ts';
import { serversOfBackend, type ZoneServers } from './zone-servers.ts';

export interface ServerQueueDependencies extends ZoneServers {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
}

const namesAtOnce = 500;
/** Number of names that are published concurrently. */
const changesAtOnce = 16;

export function createServerQueue(dependencies: ServerQueueDependencies): OwedQueue {
  return {
    kind: serverKind,
    concurrency: 8,
    deadlineMs: 60_000,
    retry: reconcilingRetry,
    run: (job, { signal }) => bringBack(dependencies, job, signal),
  };
}

async function bringBack(dependencies: ServerQueueDependencies, job: ClaimedJob, signal: AbortSignal): Promise<void> {
  const { db, wake, log } = dependencies;
  const row = (await readServers(db, [job.key])).get(job.key);
  if (row === undefined || row.state === 'SERVING') return db.transaction((tx) => finishOwed(tx, job));
  const known = (await serversOfBackend(dependencies, row.backendId)).find(({ id }) => id === row.id);
  const zones = await zonesOfBackend(db, row.backendId);
  if (known === undefined) {
    // The server was removed, so names no longer wait for it.
    return db.transaction(async (tx) => {
      await deleteServer(tx, row.id);
      for (const zone of zones) await oweUnpublished(tx, wake, zone);
      await finishOwed(tx, job);
    });
  }
  try {
    for (const zone of zones) await known.server.check(zone, signal);
    const returning = await beginReturn(db, wake, row.id);
    if (returning === undefined) return;
    let count = 0;
    for (const zone of zones) count += await catchUp(dependencies, job, known, zone, signal);
    await db.transaction(async (tx) => {
      if (!(await endReturn(tx, wake, returning)))
        throw new DnsError('CHANGED_MEANWHILE', `${known.server.name} failed again while it was brought back`);
      for (const zone of zones) {
        // The server may also have lost records.
        await recordDriftCheck(tx, zone, null);
        await oweUnpublished(tx, wake, zone);
        await owe(tx, driftKind, zone, {}, wake);
      }
      await finishOwed(tx, job);
    });
    log.info({ server: known.server.name, names: count }, 'a DNS server is back and up to date');
  } catch (error) {
    if (error instanceof DnsError && isServerFault(error)) await recordServerFailure(db, wake, known, error);
    throw error;
  }
}

/** Publishes on this server the names that some server lacks. Throws only errors of the server as a whole. */
async function catchUp(
  { db }: ServerQueueDependencies,
  job: ClaimedJob,
  { server }: KnownServer,
  zone: string,
  signal: AbortSignal,
): Promise<number> {
  const { writer } = (await readZone(db, zone)) as ZoneRow;
  let count = 0;
  for (let after: string | null = null; ; ) {
    const ids = await pageOfUnpublished(db, zone, after, namesAtOnce);
    const left = ids.values();
    const publishInTurn = async () => {
      for (const { id } of left) {
        const readAtMs = Date.now();
        const set = await readById(db, id);
        if (set === undefined) continue;
        await server.publish(wantedOf(set, writer, readAtMs, job), signal).catch((error: unknown) => {
          // The work owed for a name reports faults of that name.
          if (!(error instanceof DnsError) || isServerFault(error)) throw error;
        });
        count += 1;
      }
    };
    await Promise.all(Array.from({ length: changesAtOnce }, publishInTurn));
    if (ids.length < namesAtOnce) return count;
    after = ids.at(-1)?.name ?? null;
  }
}
