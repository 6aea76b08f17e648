// Publishes names: owed for each record set that changed. What the servers are to have is read anew in each attempt, so an attempt that
// is late, doubled or cut off does no harm.
import type { Database } from '../../platform/database/database.ts';
import type { OwedQueue } from '../../platform/owed-queue.ts';
import { finishOwed, type OwedJob, reconcilingRetry } from '../../platform/owed-work.ts';
import type { Wake } from '../../platform/wake.ts';
import { isPublished, type RecordSet } from '../records/record-set.ts';
import { publishKind } from '../records/record-store.ts';
import { DnsError } from '../servers/dns-error.ts';
import type { RecordServer, WantedName } from '../servers/record-server.ts';
import { fudgeSeconds } from '../wire/tsig.ts';
import {
  deleteWithdrawn,
  overtake,
  owePublication,
  readById,
  readZone,
  recordFailure,
  recordPublished,
  wantedOf,
  withdrawnForMs,
} from './publication-store.ts';

export interface PublishParts {
  readonly db: Database;
  readonly wake: Wake;
  readonly servers: readonly RecordServer[];
}

/** While a withdrawn name keeps its fence: longer than any server takes an update that was read before the withdrawal. */
export const fenceKeptMs = 3 * fudgeSeconds * 1000;
const mostRounds = 3;

export function createPublishQueue(parts: PublishParts): OwedQueue {
  return {
    kind: publishKind,
    concurrency: 16,
    deadlineMs: 25_000,
    retry: reconcilingRetry,
    run: (job, { signal }) => publishOnce(parts, job, signal),
  };
}

async function publishOnce(parts: PublishParts, job: OwedJob, signal: AbortSignal): Promise<void> {
  const { db, wake } = parts;
  for (let round = 1; ; round += 1) {
    const readAtMs = Date.now();
    const set = await readById(db, job.key);
    const zone = set === undefined ? undefined : await readZone(db, set.zone);
    if (set === undefined || zone === undefined) return db.transaction((tx) => finishOwed(tx, job));
    const wanted = wantedOf(set, zone.writer, readAtMs);
    if (set.withdrawn && isPublished(set)) return forget(parts, job, set, wanted, signal);
    const newer = await publishOnAll(parts, set, wanted, signal);
    if (newer === undefined)
      return db.transaction(async (tx) => {
        await recordPublished(tx, wake, set.id, wanted);
        await finishOwed(tx, job);
        if (set.withdrawn) await owePublication(tx, wake, set.id, fenceKeptMs);
      });
    // Either the name was changed meanwhile, or the database lost writes.
    await db.transaction((tx) => overtake(tx, set.id, newer));
    if (round === mostRounds)
      throw new DnsError('CHANGED_MEANWHILE', `${set.name} changed ${mostRounds} times while it was to be published`);
  }
}

/** Returns a newer generation if a server has one. Records and throws the failure of a server, after all were tried. */
async function publishOnAll(
  { db, wake, servers }: PublishParts,
  { id }: RecordSet,
  wanted: WantedName,
  signal: AbortSignal,
): Promise<number | undefined> {
  const results = await Promise.allSettled(servers.map((server) => named(server, server.publish(wanted, signal))));
  const overtaken = results.flatMap((each) =>
    each.status === 'fulfilled' && each.value.state === 'OVERTAKEN' ? [each.value.generation] : [],
  );
  if (overtaken.length > 0) return Math.max(...overtaken);
  const failed = results.find((each) => each.status === 'rejected');
  if (failed === undefined) return undefined;
  const reason = isTimeout(signal) ? new DnsError('TIMED_OUT', 'the servers were too slow') : failed.reason;
  if (reason instanceof DnsError) await db.transaction((tx) => recordFailure(tx, wake, id, reason));
  throw reason;
}

/** Removes the fence of a withdrawn name, and its row, when nobody can come late any more. */
async function forget(
  { db, wake, servers }: PublishParts,
  job: OwedJob,
  set: RecordSet,
  wanted: WantedName,
  signal: AbortSignal,
): Promise<void> {
  const leftMs = fenceKeptMs - (await withdrawnForMs(db, set.id));
  if (leftMs <= 0) await Promise.all(servers.map((server) => named(server, server.forget(wanted, signal))));
  await db.transaction(async (tx) => {
    await finishOwed(tx, job);
    if (leftMs <= 0) await deleteWithdrawn(tx, set);
    else await owePublication(tx, wake, set.id, leftMs);
  });
}

/** At the end of the job's time, not of the process. */
function isTimeout({ aborted, reason }: AbortSignal): boolean {
  return aborted && (reason as Error).name === 'TimeoutError';
}

/** The server's name before what it says. */
async function named<Result>({ name }: RecordServer, work: Promise<Result>): Promise<Result> {
  return work.catch((error: unknown) => {
    if (!(error instanceof DnsError)) throw error;
    throw new DnsError(error.code, `${name}: ${error.message}`, { cause: error });
  });
}
