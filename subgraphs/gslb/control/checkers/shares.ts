// Assigns targets to the checkers of a vantage point. Computed once for all sessions of a process, in parts, so that links are served in between.
import { setImmediate } from 'node:timers/promises';
import { targetOfKey } from '../../wire/checker-wire.ts';
import { type Sharer, sharingByPlugin } from '../stores/sharing.ts';
import type { VantageRow } from '../stores/vantage-store.ts';
import type { KnownTarget, TargetTable } from '../targets/target-table.ts';

type ByChecker = ReadonlyMap<string, readonly KnownTarget[]>;

interface Found {
  /** Key of the inputs of the assignment. */
  readonly key: string;
  readonly shares: Promise<ByChecker | undefined>;
}

const targetsAtOnce = 5_000;

export class Shares {
  readonly #targets: Pick<TargetTable, 'all' | 'isFor' | 'version'>;
  /** Keyed by the vantage point's UUID. */
  readonly #found = new Map<string, Found>();

  constructor(targets: Pick<TargetTable, 'all' | 'isFor' | 'version'>) {
    this.#targets = targets;
  }

  /** A different text means that the assignment may differ. */
  keyOf({ epoch, spec }: VantageRow, sharers: readonly Sharer[]): string {
    // A checker whose plugins change starts another epoch.
    return JSON.stringify([this.#targets.version, epoch, spec, sharers.map(({ id }) => id)]);
  }

  /**
   * The assignment of targets, by UUID of the vantage point's checkers. A target whose plugin none of them has is assigned to nobody. Undefined if
   * the targets were not read yet, or the assignment has changed.
   */
  async of(vantagePoint: VantageRow, sharers: readonly Sharer[]): Promise<ByChecker | undefined> {
    const key = this.keyOf(vantagePoint, sharers);
    const known = this.#found.get(vantagePoint.id);
    if (known?.key === key) return known.shares;
    const all = this.#targets.all();
    if (all === undefined) return undefined;
    const shares = this.#shared(all, vantagePoint, sharers, key);
    this.#found.set(vantagePoint.id, { key, shares });
    return shares;
  }

  async #shared(
    all: Iterable<KnownTarget>,
    vantagePoint: VantageRow,
    sharers: readonly Sharer[],
    key: string,
  ): Promise<ByChecker | undefined> {
    const shares = new Map<string, KnownTarget[]>(sharers.map(({ id }) => [id, []]));
    const ownerOf = sharingByPlugin(sharers);
    let seen = 0;
    for (const target of all) {
      seen += 1;
      if (seen % targetsAtOnce === 0) {
        await setImmediate();
        // Many epochs may begin while many targets are assigned, and only the last one is worth the work.
        if (this.#found.get(vantagePoint.id)?.key !== key) return undefined;
      }
      if (this.#targets.isFor(vantagePoint, target))
        shares.get(ownerOf(targetOfKey(target.key) ?? '', target.check.type) ?? '')?.push(target);
    }
    return shares;
  }
}
