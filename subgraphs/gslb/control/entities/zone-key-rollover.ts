// Signs the zones that our own name servers answer, and replaces their keys in time. Runs in every process to which name servers connect. Each run
// locks the zone's row, so a second process finds nothing due.
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { databaseNow } from '../stores/checker-store.ts';
import { dsTexts, firstKeys, type KeyRule, rollKeys } from '../stores/zone-keys.ts';
import {
  lockZone,
  newZoneTopic,
  openZoneKeys,
  storeZoneKeys,
  type ZoneRow,
  zonePositions,
} from '../stores/zone-store.ts';

interface ZoneKeyRolloverOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly sealer: Sealer;
  /** If false, zones without keys get none. Zones with keys keep them, because their parents may name them. */
  readonly signs: boolean;
  /** Interval of the checks. A new zone gets its keys immediately. Default: a minute. */
  readonly lookMs?: number;
}

const usualLookMs = 60_000;
const dayMs = 86_400_000;

/** Fits any zone, because no TTL in a plan is longer than a week (dns/policy/plan-schema.ts). */
export const keyRule: KeyRule = { plainMs: 90 * dayMs, ttlMs: 7 * dayMs, spreadMs: dayMs, parentTtlMs: 2 * dayMs };

export class ZoneKeyRollover {
  readonly #options: ZoneKeyRolloverOptions;
  readonly #loop: Loop;
  #unsubscribe: (() => void) | undefined;

  constructor(options: ZoneKeyRolloverOptions) {
    this.#options = options;
    const { log, lookMs = usualLookMs } = options;
    this.#loop = new Loop({
      ...{ name: 'keys of zones', log, pauseMs: () => lookMs },
      run: async (signal) => {
        for (const { name } of await zonePositions(options.db)) {
          if (signal.aborted) break;
          // A zone whose keys can't be decrypted must not block the others.
          await this.#look(name).catch((error: unknown) =>
            log.error({ err: error, zone: name }, 'the keys of a zone were not looked after'),
          );
        }
        return false;
      },
    });
  }

  start(): void {
    this.#unsubscribe = this.#options.wake.on(newZoneTopic, () => this.#loop.trigger());
    this.#loop.start();
  }

  stop(): Promise<void> {
    this.#unsubscribe?.();
    return this.#loop.stop();
  }

  async #look(zone: string): Promise<void> {
    const { db, wake, log, sealer, signs } = this.#options;
    await db.transaction(async (tx) => {
      const row = await lockZone(tx, zone);
      if (row === undefined) return;
      const known = openZoneKeys(row, sealer);
      if (known.length === 0 && !signs) return;
      const nowMs = await databaseNow(tx);
      const keys = known.length === 0 ? firstKeys(nowMs) : rollKeys(known, nowMs, keyRule).keys;
      if (keys === known) return;
      await storeZoneKeys(tx, wake, { zone, keys, sealer });
      tx.afterCommit(() => log.info({ zone, keys: keys.map(({ keyTag, state }) => `${keyTag} ${state}`) }, 'new keys'));
    });
  }
}

/** The DS records that the parent of the zone should publish. Empty if the zone is not signed. Throws SealError. */
export function zoneDsTexts(
  row: Pick<ZoneRow, 'name' | 'keysSealed'>,
  sealer: Sealer,
  nowMs: number,
): readonly string[] {
  return dsTexts(`${row.name}.`, openZoneKeys(row, sealer), nowMs, keyRule);
}
