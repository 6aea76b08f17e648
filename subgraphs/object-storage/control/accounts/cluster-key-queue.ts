// Seals the secrets of all access keys for a cluster whose public key has arrived or changed. Works in pages: keys created while it runs
// are already sealed for the new key.
import type { Database } from '../../../../platform/database/database.ts';
import type { OwedQueue } from '../../../../platform/owed/owed-queue.ts';
import { finishOwed, reconcilingRetry } from '../../../../platform/owed/owed-work.ts';
import type { Resealed, ResealOptions } from '../../../../platform/process/subgraph-row.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { SealError } from '../../../../platform/secrets/seal.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { readClusters } from '../stores/cluster-store.ts';
import { clusterKeyKind } from '../stores/controller-store.ts';
import { lockFederation } from '../stores/federation-store.ts';
import { secretPlace, staleKeys, storeSealed, tellKeyTo, workingKeys } from './access-key-store.ts';

const pageSize = 50;

export interface ClusterKeyDependencies {
  readonly db: Database;
  readonly wake: Wake;
  readonly sealer: () => Promise<Sealer>;
}

export function createClusterKeyQueue({ db, wake, sealer: opened }: ClusterKeyDependencies): OwedQueue {
  return {
    kind: clusterKeyKind,
    concurrency: 1,
    deadlineMs: 60_000,
    retry: reconcilingRetry,
    async run(job, { signal }) {
      const sealer = await opened();
      let after = '';
      for (let isLast = false; !isLast; ) {
        signal.throwIfAborted();
        after = await db.transaction(async (tx) => {
          await lockFederation(tx);
          const cluster = (await readClusters(tx, [job.key])).get(job.key);
          const keys = cluster === undefined || cluster.deleted ? [] : await workingKeys(tx, after, pageSize);
          for (const key of keys)
            if (cluster !== undefined)
              await tellKeyTo(tx, wake, key.accessKeyId, sealer.open(key, secretPlace(key.id)), cluster);
          isLast = keys.length < pageSize;
          if (isLast) await finishOwed(tx, job);
          return keys.at(-1)?.id ?? after;
        });
      }
    },
  };
}

/** Seals the stored secrets again with the active key of the control plane. */
export async function resealAccessKeys(db: Database, { sealer, keyId }: ResealOptions): Promise<Resealed> {
  let resealed = 0;
  const failed: string[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const rows = await staleKeys(db, keyId, after, pageSize);
    for (const row of rows)
      try {
        const place = secretPlace(row.id);
        await storeSealed(db, row, sealer.seal(sealer.open(row, place), place));
        resealed += 1;
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        failed.push(`access key ${row.accessKeyId}: ${error.message}`);
      }
    after = rows.length < pageSize ? undefined : rows.at(-1)?.id;
  }
  return { resealed, trusted: [], failed };
}
