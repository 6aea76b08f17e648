// Publishes names. Owed for each changed record set. Each attempt reads the desired records again, so a late, duplicate or interrupted attempt does
// no harm.
import type { Database } from '../../platform/database/database.ts';
import type { OwedQueue } from '../../platform/owed/owed-queue.ts';
import { type ClaimedJob, finishOwed, reconcilingRetry } from '../../platform/owed/owed-work.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { isPublished, type RecordSet } from '../records/record-set.ts';
import { publishKind } from '../records/record-store.ts';
import { DnsError, type DnsErrorCode, dnsErrors, named } from '../servers/dns-error.ts';
import type { RecordServer, WantedName } from '../servers/record-server.ts';
import { fudgeSeconds } from '../wire/tsig.ts';
import {
  deleteWithdrawn,
  overtake,
  owePublication,
  readById,
  readZone,
  recordAnswered,
  recordFailure,
  recordPublished,
  wantedOf,
  withdrawnForMs,
} from './publication-store.ts';
import { isServerFault, type KnownServer, readServers, recordServerFailure, type ServerRow } from './server-states.ts';
import { requireSamePrimary, serversOfBackend, type ZoneServers } from './zone-servers.ts';

export interface PublishDependencies extends ZoneServers {
  readonly db: Database;
  readonly wake: Wake;
}

/** How long a withdrawn name keeps its fence: longer than any server accepts an update that was read before the withdrawal. */
export const fenceKeptMs = 3 * fudgeSeconds * 1000;
const mostRounds = 3;
/** Requests of a crashed or stopped process have arrived after this time. */
const afterTakeoverMs = 30_000;
const lateWriter = new DnsError(
  'CHANGED_MEANWHILE',
  'the process that was publishing it has crashed or stopped, and its requests may still arrive: it is published once more after that',
);
/** While a server has failed, its fences stay. */
const forgetLaterMs = 60_000;
/** A server that takes this much longer than the others is treated as failed. */
const slowerMs = 500;

export function createPublishQueue(dependencies: PublishDependencies): OwedQueue {
  return {
    kind: publishKind,
    concurrency: 16,
    deadlineMs: 25_000,
    retry: reconcilingRetry,
    run: (job, { signal }) => publishOnce(dependencies, job, signal),
  };
}

async function publishOnce(dependencies: PublishDependencies, job: ClaimedJob, signal: AbortSignal): Promise<void> {
  const { db, wake } = dependencies;
  for (let round = 1; ; round += 1) {
    const readAtMs = Date.now();
    const set = await readById(db, job.key);
    const zone = set === undefined ? undefined : await readZone(db, set.zone);
    if (set === undefined || zone === undefined) return db.transaction((tx) => finishOwed(tx, job));
    const wanted = wantedOf(set, zone.writer, readAtMs, job);
    const servers = await openServers(dependencies, set.id, zone.backendId);
    // Read after the name: a server that still counts as failed gets this generation when it returns.
    const rows = await readServers(
      db,
      servers.map(({ id }) => id),
    );
    const withStates = servers.map((each) => ({ ...each, row: rows.get(each.id) }));
    if (set.withdrawn && isPublished(set)) return forget(dependencies, job, set, wanted, withStates, signal);
    const result = await publishOnAll(dependencies, set, wanted, withStates, signal);
    if (result.overtakenBy === undefined) {
      const { isAnswered } = result;
      const mayComeLate = job.takeovers > 0 && servers.some(({ server }) => !server.refusesLate);
      const lacking = result.lacking ?? (mayComeLate ? lateWriter : undefined);
      return db.transaction(async (tx) => {
        await requireSamePrimary(tx, servers);
        if (lacking === undefined) await recordPublished(tx, wake, set.id, wanted);
        else if (isAnswered) await recordAnswered(tx, wake, set.id, wanted, lacking);
        else await recordFailure(tx, wake, set.id, lacking);
        await finishOwed(tx, job);
        if (mayComeLate) await owePublication(tx, wake, set.id, afterTakeoverMs);
        else if (lacking === undefined && set.withdrawn) await owePublication(tx, wake, set.id, fenceKeptMs);
      });
    }
    // Either the name was changed in the meantime, or the database lost writes.
    const newer = result.overtakenBy;
    await db.transaction((tx) => overtake(tx, set.id, newer));
    if (round === mostRounds)
      throw new DnsError('CHANGED_MEANWHILE', `${set.name} changed ${mostRounds} times while it was being published`);
  }
}

type ServerWithState = KnownServer & { readonly row: ServerRow | undefined };

/** A backend that can't be opened fails for each of its names. */
async function openServers(
  { db, wake, ...zoneServers }: PublishDependencies,
  setId: string,
  backendId: string | null,
): Promise<readonly KnownServer[]> {
  try {
    return await serversOfBackend(zoneServers, backendId);
  } catch (error) {
    if (error instanceof DnsError) await db.transaction((tx) => recordFailure(tx, wake, setId, error));
    throw error;
  }
}

interface PublishedOn {
  /** A server has this newer generation. */
  readonly overtakenBy?: number;
  /** Reason why a failed server does not have it. Undefined if all have it. */
  readonly lacking?: DnsError;
  /** Whether all servers that have not failed have it, and there is at least one. */
  readonly isAnswered: boolean;
}

/**
 * Publishes on each server separately. Does not wait for servers that failed before, and leaves out those that fail now. After trying all, records
 * and throws the error of the name at a server.
 */
async function publishOnAll(
  { db, wake }: PublishDependencies,
  { id }: RecordSet,
  wanted: WantedName,
  servers: readonly ServerWithState[],
  signal: AbortSignal,
): Promise<PublishedOn> {
  const tried = servers.filter(({ row }) => row?.state !== 'FAILING');
  const results = await settleTogether(tried, (server, ending) => server.publish(wanted, ending), signal);
  const overtaken = results.flatMap((each) =>
    each.status === 'fulfilled' && each.value.state === 'OVERTAKEN' ? [each.value.generation] : [],
  );
  const failures = results.map((each) => (each.status === 'rejected' ? (each.reason as unknown) : undefined));
  // The end of the job's own time limit does not mean that a server failed.
  if (isTimeout(signal)) {
    const slow = new DnsError('TIMED_OUT', 'the servers were too slow');
    await db.transaction((tx) => recordFailure(tx, wake, id, slow));
    throw slow;
  }
  let lacking = servers.find(({ row }) => row?.state === 'FAILING' || row?.state === 'RETURNING');
  let reason = lacking === undefined ? undefined : earlierFailure(lacking);
  let serving = 0;
  for (const [index, server] of tried.entries()) {
    const failure = failures[index];
    if (failure === undefined) {
      if (server.row?.state !== 'RETURNING') serving += 1;
      continue;
    }
    if (!(failure instanceof DnsError) || !isServerFault(failure)) continue;
    await recordServerFailure(db, wake, server, failure);
    lacking ??= server;
    reason ??= named(server.server, failure);
  }
  if (overtaken.length > 0) return { overtakenBy: Math.max(...overtaken), isAnswered: false };
  const ofTheName = tried.findIndex((_server, index) => {
    const failure = failures[index];
    return failure !== undefined && !(failure instanceof DnsError && isServerFault(failure));
  });
  if (ofTheName !== -1) {
    const failure = failures[ofTheName];
    const server = tried[ofTheName] as ServerWithState;
    if (!(failure instanceof DnsError)) throw failure;
    const told = named(server.server, failure);
    await db.transaction((tx) => recordFailure(tx, wake, id, told));
    throw told;
  }
  return { ...(reason === undefined ? {} : { lacking: reason }), isAnswered: serving > 0 };
}

/** Like Promise.allSettled, but after the first result the others have `slowerMs` left. */
async function settleTogether<Result>(
  servers: readonly KnownServer[],
  work: (server: RecordServer, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<readonly PromiseSettledResult<Result>[]> {
  const slow = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const running = servers.map(async ({ server }) => {
    try {
      const result = await work(server, AbortSignal.any([signal, slow.signal]));
      timer ??= setTimeout(() => slow.abort(tooSlow), slowerMs);
      return result;
    } catch (error) {
      // A pause that was ended has an error of its own.
      throw slow.signal.aborted && !signal.aborted && !(error instanceof DnsError) ? tooSlow : error;
    }
  });
  const results = await Promise.allSettled(running);
  clearTimeout(timer);
  return results;
}

const tooSlow = new DnsError('TIMED_OUT', `it took more than ${slowerMs} ms longer than another server`);

function earlierFailure({ row, server }: ServerWithState): DnsError {
  const code = row?.errorCode ?? '';
  return named(server, new DnsError(isCode(code) ? code : 'UNREACHABLE', row?.error ?? 'it failed'));
}

function isCode(text: string): text is DnsErrorCode {
  return Object.hasOwn(dnsErrors, text);
}

/** Removes the fence and the row of a withdrawn name when no late writer is possible any more. */
async function forget(
  { db, wake }: PublishDependencies,
  job: ClaimedJob,
  set: RecordSet,
  wanted: WantedName,
  servers: readonly ServerWithState[],
  signal: AbortSignal,
): Promise<void> {
  const areAllThere = servers.every(({ row }) => row === undefined || row.state === 'SERVING');
  const leftMs = areAllThere ? fenceKeptMs - (await withdrawnForMs(db, set.id)) : forgetLaterMs;
  if (leftMs <= 0)
    await Promise.all(
      servers.map(({ server }) =>
        server.forget(wanted, signal).catch((error: unknown) => {
          throw error instanceof DnsError ? named(server, error) : error;
        }),
      ),
    );
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
