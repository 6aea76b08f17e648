// All that is to be checked, as documents: read once for all sessions of a process, then of each pool in which something changed. From time to
// time all is read again: who watches is also said by flavors.
import { createHash } from 'node:crypto';
import type { Database } from '../../../platform/database/database.ts';
import type { JsonObject } from '../../../platform/json.ts';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import { type Target, targetId } from '../wire/checker-wire.ts';
import { poolVersions } from './pool-targets-store.ts';
import { monitorSecretPlace, openText } from './sealed-text.ts';
import { readTargets, readTargetsOfPools, type TargetRow } from './target-store.ts';
import { checkOf, placeOf, type TargetPlace, watches } from './targets.ts';
import { targetsTopic } from './touched.ts';
import type { VantageRow } from './vantage-store.ts';

export interface KnownTarget {
  readonly id: string;
  readonly document: Target;
  /** Of the document's text: another text has another one. */
  readonly generation: number;
  readonly place: TargetPlace;
  /** Names of the vantage points that watch; empty: all. */
  readonly vantagePoints: ReadonlySet<string>;
}

export interface TargetTableOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly egress: EgressPolicy;
  /** Opens the credentials of monitors. */
  readonly sealer: Sealer;
  /** How often all is read; default 15000. */
  readonly wholeEveryMs?: number;
}

const usualWholeEveryMs = 15_000;

export class TargetTable {
  readonly #options: TargetTableOptions;
  readonly #loop: Loop;
  readonly #listeners = new Set<() => void>();
  /** By pool; undefined: they were not read yet. */
  #byPool: Map<string, readonly KnownTarget[]> | undefined;
  #poolVersions: ReadonlyMap<string, number> = new Map();
  #targets: readonly KnownTarget[] | undefined;
  #wholeAtMs = Number.NEGATIVE_INFINITY;
  #version = 0;
  #unsubscribe: (() => void) | undefined;

  constructor(options: TargetTableOptions) {
    this.#options = options;
    const { log } = options;
    const pauseMs = () => Math.max(1, this.#wholeInMs());
    this.#loop = new Loop({ name: 'GSLB targets', log, pauseMs, run: () => this.#read() });
  }

  /** Rises with each reading that found something else. */
  get version(): number {
    return this.#version;
  }

  start(): void {
    this.#unsubscribe = this.#options.wake.on(targetsTopic, () => this.#loop.trigger());
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#loop.stop();
  }

  /** Undefined: they were not read yet. */
  of(vantagePoint: VantageRow): readonly KnownTarget[] | undefined {
    const { egress } = this.#options;
    const { name, spec } = vantagePoint;
    return this.#targets?.filter(
      ({ place, vantagePoints }) =>
        (vantagePoints.size === 0 || vantagePoints.has(name)) && watches(spec, place, egress),
    );
  }

  /** Calls back after each reading that found something else. Returns a function that ends it. */
  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #wholeInMs(): number {
    return this.#wholeAtMs + (this.#options.wholeEveryMs ?? usualWholeEveryMs) - performance.now();
  }

  async #read(): Promise<boolean> {
    const { db } = this.#options;
    // First: what changes while the targets are read has another number the next time.
    const versions = await poolVersions(db);
    if (this.#byPool === undefined || this.#wholeInMs() <= 0) {
      const all = this.#grouped(await readTargets(db));
      this.#wholeAtMs = performance.now();
      this.#use(all, new Set([...(this.#byPool?.keys() ?? []), ...all.keys()]));
    } else {
      const changed = [...versions].flatMap(([id, version]) => (this.#poolVersions.get(id) === version ? [] : [id]));
      if (changed.length > 0) this.#use(this.#grouped(await readTargetsOfPools(db, changed)), new Set(changed));
    }
    this.#poolVersions = versions;
    return false;
  }

  #grouped(rows: readonly TargetRow[]): ReadonlyMap<string, readonly KnownTarget[]> {
    const byPool = Map.groupBy(rows, ({ pool }) => pool);
    return new Map([...byPool].map(([pool, own]) => [pool, own.flatMap((row) => this.#known(row) ?? [])]));
  }

  /** These pools have these targets now. */
  #use(read: ReadonlyMap<string, readonly KnownTarget[]>, pools: ReadonlySet<string>): void {
    const isFirst = this.#byPool === undefined;
    const known = this.#byPool ?? new Map<string, readonly KnownTarget[]>();
    this.#byPool = known;
    let isNews = isFirst;
    for (const pool of pools) {
      const now = read.get(pool) ?? [];
      if (textOf(now) === textOf(known.get(pool) ?? [])) continue;
      if (now.length === 0) known.delete(pool);
      else known.set(pool, now);
      isNews = true;
    }
    if (!isNews) return;
    this.#targets = [...known.values()].flat();
    this.#version += 1;
    for (const listener of [...this.#listeners]) listener();
  }

  #known({ member, monitor, memberSpec, monitorSpec, secret, vantagePoints }: TargetRow): KnownTarget | undefined {
    const place = placeOf(memberSpec, monitorSpec);
    if (place === undefined) return undefined;
    const opened = secret === null ? {} : this.#opened(monitor, monitorSpec, secret);
    if (opened === undefined) return undefined;
    const document: Target = { member, monitor, ...checkOf(memberSpec, monitorSpec, place), ...opened };
    return {
      ...{ id: targetId({ member, monitor }), document, place, vantagePoints },
      generation: createHash('sha256').update(JSON.stringify(document)).digest().readUIntBE(0, 6),
    };
  }

  /** Undefined: a key is missing, or they were given for other settings. Its members are then without a vote, and the others are checked. */
  #opened(
    monitor: string,
    spec: TargetRow['monitorSpec'],
    sealed: string,
  ): { readonly secret: JsonObject } | undefined {
    const { sealer, log } = this.#options;
    try {
      return { secret: JSON.parse(openText(sealer, sealed, monitorSecretPlace(monitor, spec))) };
    } catch (error) {
      log.warn({ err: error, monitor }, 'the credentials of a GSLB monitor do not open: it is not checked');
      return undefined;
    }
  }
}

function textOf(targets: readonly KnownTarget[]): string {
  const hash = createHash('sha256');
  for (const { id, generation, vantagePoints } of targets)
    hash.update(`${id} ${generation} ${[...vantagePoints].sort()} `);
  return hash.digest('base64');
}
