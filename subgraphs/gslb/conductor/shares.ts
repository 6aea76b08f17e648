// Which targets each checker of a vantage point has: found once for all sessions of a process, a part at a time, so that links are served
// meanwhile.
import { setImmediate } from 'node:timers/promises';
import { targetOfKey } from '../wire/checker-wire.ts';
import { sharing } from './sharing.ts';
import type { KnownTarget, TargetTable } from './target-table.ts';
import type { VantageRow } from './vantage-store.ts';

type ByChecker = ReadonlyMap<string, readonly KnownTarget[]>;

interface Found {
  /** What they were found for. */
  readonly key: string;
  readonly shares: Promise<ByChecker | undefined>;
}

const targetsAtOnce = 5_000;

export class Shares {
  readonly #targets: Pick<TargetTable, 'all' | 'isFor' | 'version'>;
  /** By the vantage point's UUID. */
  readonly #found = new Map<string, Found>();

  constructor(targets: Pick<TargetTable, 'all' | 'isFor' | 'version'>) {
    this.#targets = targets;
  }

  /** Another text: the targets may be shared otherwise. */
  keyOf({ epoch, spec }: VantageRow, checkerIds: readonly string[]): string {
    return JSON.stringify([this.#targets.version, epoch, spec, checkerIds]);
  }

  /** By the UUIDs of the vantage point's checkers. Undefined: the targets were not read yet, or are shared otherwise by now. */
  async of(vantagePoint: VantageRow, checkerIds: readonly string[]): Promise<ByChecker | undefined> {
    const key = this.keyOf(vantagePoint, checkerIds);
    const known = this.#found.get(vantagePoint.id);
    if (known?.key === key) return known.shares;
    const all = this.#targets.all();
    if (all === undefined) return undefined;
    const shares = this.#shared(all, vantagePoint, checkerIds, key);
    this.#found.set(vantagePoint.id, { key, shares });
    return shares;
  }

  async #shared(
    all: Iterable<KnownTarget>,
    vantagePoint: VantageRow,
    checkerIds: readonly string[],
    key: string,
  ): Promise<ByChecker | undefined> {
    const shares = new Map<string, KnownTarget[]>(checkerIds.map((id) => [id, []]));
    const ownerOf = sharing(checkerIds);
    let seen = 0;
    for (const target of all) {
      seen += 1;
      if (seen % targetsAtOnce === 0) {
        await setImmediate();
        // Many epochs may begin while many targets are shared: only the last one is worth the work.
        if (this.#found.get(vantagePoint.id)?.key !== key) return undefined;
      }
      if (this.#targets.isFor(vantagePoint, target))
        shares.get(ownerOf(targetOfKey(target.key) ?? '') ?? '')?.push(target);
    }
    return shares;
  }
}
