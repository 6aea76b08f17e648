// Creates zones at the servers of backends that support it. Owed for each zone that an administrator creates or changes.
import type { Database } from '../../platform/database/database.ts';
import type { OwedQueue } from '../../platform/owed/owed-queue.ts';
import { finishOwed, type OwedJob, reconcilingRetry } from '../../platform/owed/owed-work.ts';
import { zoneKind } from '../records/record-store.ts';
import type { ZoneWish } from '../servers/record-server.ts';
import { readBackend } from './backend-store.ts';
import type { BackendOpener } from './open-backends.ts';
import { readZoneNamed } from './zone-store.ts';

export interface ZoneQueueDependencies {
  readonly db: Database;
  readonly backends: BackendOpener;
}

export function createZoneQueue(dependencies: ZoneQueueDependencies): OwedQueue {
  return {
    kind: zoneKind,
    concurrency: 4,
    deadlineMs: 25_000,
    retry: reconcilingRetry,
    run: (job, { signal }) => makeZone(dependencies, job, signal),
  };
}

async function makeZone({ db, backends }: ZoneQueueDependencies, job: OwedJob, signal: AbortSignal): Promise<void> {
  const zone = await readZoneNamed(db, job.key);
  const backend = zone?.backendId == null ? undefined : await readBackend(db, zone.backendId);
  if (zone !== undefined && backend !== undefined) {
    const servers = (await backends.serversOf(backend.id)) ?? [];
    const wish: ZoneWish = { zone: zone.name, ...zone.spec, transferKey: backends.transferKeyOf(backend.id) };
    await Promise.all(servers.map((server) => server.ensureZone?.(wish, signal)));
  }
  await db.transaction((tx) => finishOwed(tx, job));
}
