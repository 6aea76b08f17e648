// Periodically compares the servers' answers for every name of a zone with the desired records, and publishes differences again.
// One row of owed work per zone: checking a name writes nothing.
import type { Database } from '../../platform/database/database.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { OwedQueue } from '../../platform/owed/owed-queue.ts';
import { finishOwed, type OwedJob, owe, reconcilingRetry } from '../../platform/owed/owed-work.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { isPublished, type RecordSet } from '../records/record-set.ts';
import { driftKind, zoneKind } from '../records/record-store.ts';
import { DnsError, type DnsErrorCode, named } from '../servers/dns-error.ts';
import {
  owePublication,
  pageOfSets,
  readZone,
  recordDriftCheck,
  recordFailure,
  wantedOf,
  type ZoneRow,
  zoneNames,
  zonesOfBackend,
} from './publication-store.ts';
import { isServerFault, type KnownServer, readServers, recordServerFailure } from './server-states.ts';
import { requireSamePrimary, serversOfBackend, type ZoneServers } from './zone-servers.ts';

export interface DriftDependencies extends ZoneServers {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly intervalMs: number;
}

/** Number of names in one run. The next run continues after them. */
const namesAtOnce = 500;
/** Number of names that are read concurrently. */
const asksAtOnce = 16;

export function createDriftQueue(dependencies: DriftDependencies): OwedQueue {
  return {
    kind: driftKind,
    concurrency: 2,
    deadlineMs: 60_000,
    retry: reconcilingRetry,
    run: (job, { signal }) => look(dependencies, job, signal),
    begin: async () => {
      const zones = await zoneNames(dependencies.db);
      await dependencies.db.transaction(async (tx) => {
        for (const zone of zones) await owe(tx, driftKind, zone);
      });
    },
  };
}

/** Checks all names of the zones without a backend from the first one, because their name server was replaced, and its successor is empty. */
export async function oweFullDriftChecks({ db, wake }: Pick<DriftDependencies, 'db' | 'wake'>): Promise<void> {
  const zones = await zonesOfBackend(db, null);
  await db.transaction(async (tx) => {
    for (const zone of zones) {
      await recordDriftCheck(tx, zone, null);
      await owe(tx, driftKind, zone, {}, wake);
    }
  });
}

async function look(dependencies: DriftDependencies, job: OwedJob, signal: AbortSignal): Promise<void> {
  const { db, wake, log, intervalMs } = dependencies;
  const zone = await readZone(db, job.key);
  if (zone === undefined) return db.transaction((tx) => finishOwed(tx, job));
  const sets = await pageOfSets(db, zone.name, zone.lookedTo, namesAtOnce);
  const servers = await serversOfBackend(dependencies, zone.backendId);
  const { wrong, lost } = await differing(dependencies, { zone, sets, all: servers }, signal);
  if (wrong.length > 0)
    log.info(
      { zone: zone.name, names: wrong.slice(0, 5).map(({ name }) => name), count: wrong.length },
      'names are published again',
    );
  const isLast = sets.length < namesAtOnce;
  await db.transaction(async (tx) => {
    await requireSamePrimary(tx, servers);
    // Locks the zone's row first, in the same order as declarations in it.
    await recordDriftCheck(tx, zone.name, isLast ? null : (sets.at(-1)?.name ?? null));
    for (const { id } of wrong) await owePublication(tx, wake, id);
    if (lost !== undefined) {
      for (const { id } of sets.filter(isPublished)) await recordFailure(tx, wake, id, lost);
      // A backend that makes zones makes it again.
      await owe(tx, zoneKind, zone.name, {}, wake);
    }
    await finishOwed(tx, job);
    await owe(tx, driftKind, zone.name, { dueInMs: isLast ? intervalMs : 0 });
  });
}

interface Looked {
  readonly zone: ZoneRow;
  readonly sets: readonly RecordSet[];
  readonly all: readonly KnownServer[];
}

interface Differing {
  readonly wrong: readonly RecordSet[];
  /** A server has the zone no more. */
  readonly lost: DnsError | undefined;
}

/** Errors that concern a zone. */
const zoneFaults: ReadonlySet<DnsErrorCode> = new Set<DnsErrorCode>(['NOT_AUTHORITATIVE', 'REFUSED']);

/** Names for which a server's answer differs. Names that are not published yet are owed anyway. */
async function differing(
  { db, wake, log }: DriftDependencies,
  { zone, sets, all }: Looked,
  signal: AbortSignal,
): Promise<Differing> {
  const ids = all.map(({ id }) => id);
  const rows = await readServers(db, ids);
  const servers = all.filter(({ id }) => (rows.get(id)?.state ?? 'SERVING') === 'SERVING');
  const wrong: RecordSet[] = [];
  const published = sets.filter(isPublished).values();
  /** A server that does not answer is skipped for the rest of this check. */
  const silent = new Set<KnownServer>();
  let lost: DnsError | undefined;
  const giveUpOn = async (server: KnownServer, error: DnsError) => {
    if (silent.has(server)) return;
    silent.add(server);
    if (zoneFaults.has(error.code)) lost ??= named(server.server, error);
    log.warn({ server: server.server.name, code: error.code, err: error }, 'a DNS server was not checked');
    if (isServerFault(error)) await recordServerFailure(db, wake, server, error);
  };
  const askInTurn = async () => {
    for (const set of published) {
      const wanted = wantedOf(set, zone.writer, Date.now());
      const answers = servers.map(async (known) => {
        if (silent.has(known)) return true;
        try {
          return await known.server.has(wanted, signal);
        } catch (error) {
          if (!(error instanceof DnsError)) throw error;
          await giveUpOn(known, error);
          return true;
        }
      });
      const isWrong = (await Promise.all(answers)).includes(false);
      // The servers answer it again, for example after the zone was restored. Publishing it ends the error.
      if (isWrong || (set.error !== null && silent.size === 0)) wrong.push(set);
    }
  };
  await Promise.all(Array.from({ length: asksAtOnce }, askInTurn));
  return { wrong, lost };
}
