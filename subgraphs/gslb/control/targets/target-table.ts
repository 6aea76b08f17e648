// All targets: read once for all sessions of a process, then again for each pool that changed. Everything is read again when a
// flavor changed, because flavors decide who watches, and from time to time, a few pools at a time, so that links are served in
// between. There may be a million targets, so only the differing parts are kept for each, and its document is built when it is
// sent.
import { createHash } from 'node:crypto';
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { targetKey } from '../../wire/checker-wire.ts';
import { poolVersions } from '../stores/pool-targets-store.ts';
import { monitorSecretPlace, openText } from '../stores/sealed-text.ts';
import { targetsTopic } from '../stores/touched.ts';
import type { VantageRow } from '../stores/vantage-store.ts';
import { flavorsText, poolIdsAfter, readTargetsOfPools, type TargetRow } from './target-store.ts';
import { type Check, checkOf, documentOf, placeOf, type TargetPlace, watches } from './targets.ts';

/** `hosts` and `port`: its location. */
export interface KnownTarget extends TargetPlace {
  /** Key of the document. */
  readonly key: string;
  /** Generation of the document's text. It changes with the text. */
  readonly generation: number;
  /** Shared by all targets that were read together and have equal checks. */
  readonly check: Check;
  /** Names of the vantage points that watch. Empty for all. */
  readonly vantagePoints: ReadonlySet<string>;
}

interface TargetTableOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly log: Logger;
  readonly egress: EgressPolicy;
  /** Opens the credentials of monitors. */
  readonly sealer: Sealer;
  /** Interval for reading everything. It grows if that takes long. Default 15000. */
  readonly wholeEveryMs?: number;
}

const usualWholeEveryMs = 15_000;
/** Reading all targets takes at most one part in this many of the time. */
const wholeParts = 20;
const poolsAtOnce = 250;

export class TargetTable {
  readonly #options: TargetTableOptions;
  readonly #loop: Loop;
  readonly #listeners = new Set<() => void>();
  readonly #byPool = new Map<string, readonly KnownTarget[]>();
  #isRead = false;
  /** The targets differ from the listeners' knowledge, or a read has failed since. */
  #isNews = true;
  #poolVersions: ReadonlyMap<string, number> = new Map();
  #flavors = '';
  #wholeAtMs = Number.NEGATIVE_INFINITY;
  #version = 0;
  #unsubscribe: (() => void) | undefined;

  constructor(options: TargetTableOptions) {
    this.#options = options;
    const { log } = options;
    // A flavor's change wakes nobody.
    const pauseMs = () => Math.max(1, Math.min(this.#wholeInMs(), this.#wholeEveryMs));
    this.#loop = new Loop({ name: 'GSLB targets', log, pauseMs, run: () => this.#read() });
  }

  /** Rises with each read that found a difference. */
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

  /** All targets, including those of vantage points that do not watch them. Undefined if they were not read yet. */
  all(): Iterable<KnownTarget> | undefined {
    return this.#isRead ? each(this.#byPool) : undefined;
  }

  isFor({ name, spec }: Pick<VantageRow, 'name' | 'spec'>, target: KnownTarget): boolean {
    const { vantagePoints } = target;
    return (vantagePoints.size === 0 || vantagePoints.has(name)) && watches(spec, target, this.#options.egress);
  }

  /** Calls back after each read that found a difference. Returns a function that ends it. */
  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get #wholeEveryMs(): number {
    return this.#options.wholeEveryMs ?? usualWholeEveryMs;
  }

  #wholeInMs(): number {
    return this.#wholeAtMs - performance.now();
  }

  async #read(): Promise<boolean> {
    const { db } = this.#options;
    // Read first, so that a change during the read of the targets shows as another number next time.
    const versions = await poolVersions(db);
    const flavors = await flavorsText(db);
    const isWhole = !this.#isRead || flavors !== this.#flavors || this.#wholeInMs() <= 0;
    const changed = [...versions].flatMap(([id, version]) => (this.#poolVersions.get(id) === version ? [] : [id]));
    await (isWhole ? this.#readWhole() : this.#readPools(changed));
    this.#poolVersions = versions;
    this.#flavors = flavors;
    this.#isRead = true;
    if (!this.#isNews) return false;
    this.#isNews = false;
    this.#version += 1;
    for (const listener of [...this.#listeners]) listener();
    return false;
  }

  async #readWhole(): Promise<void> {
    const fromMs = performance.now();
    const gone = new Set(this.#byPool.keys());
    for (let after: string | undefined = ''; after !== undefined; ) {
      const pools: readonly string[] = await poolIdsAfter(this.#options.db, after, poolsAtOnce);
      for (const pool of pools) gone.delete(pool);
      await this.#readPools(pools);
      after = pools.length < poolsAtOnce ? undefined : pools.at(-1);
    }
    this.#use(new Map(), [...gone]);
    const tookMs = performance.now() - fromMs;
    this.#wholeAtMs = performance.now() + Math.max(this.#wholeEveryMs, tookMs * (wholeParts - 1));
  }

  async #readPools(pools: readonly string[]): Promise<void> {
    for (let at = 0; at < pools.length; at += poolsAtOnce) {
      const page = pools.slice(at, at + poolsAtOnce);
      this.#use(this.#grouped(await readTargetsOfPools(this.#options.db, page)), page);
    }
  }

  #grouped(rows: readonly TargetRow[]): ReadonlyMap<string, readonly KnownTarget[]> {
    const [checks, watching] = [new Shared<Check>(), new Shared<ReadonlySet<string>>()];
    const byPool = Map.groupBy(rows, ({ pool }) => pool);
    return new Map(
      [...byPool].map(([pool, own]) => [pool, own.flatMap((row) => this.#known(row, checks, watching) ?? [])]),
    );
  }

  /** Replaces the targets of these pools. */
  #use(read: ReadonlyMap<string, readonly KnownTarget[]>, pools: readonly string[]): void {
    for (const pool of pools) {
      const now = read.get(pool) ?? [];
      if (textOf(now) === textOf(this.#byPool.get(pool) ?? [])) continue;
      if (now.length === 0) this.#byPool.delete(pool);
      else this.#byPool.set(pool, now);
      this.#isNews = true;
    }
  }

  #known(row: TargetRow, checks: Shared<Check>, watching: Shared<ReadonlySet<string>>): KnownTarget | undefined {
    const { member, monitor, memberSpec, monitorSpec, secret, vantagePoints } = row;
    const place = placeOf(memberSpec, monitorSpec);
    if (place === undefined) return undefined;
    const opened = secret === null ? {} : this.#opened(monitor, monitorSpec, secret);
    if (opened === undefined) return undefined;
    const check = { ...checkOf(memberSpec, monitorSpec, place), ...opened };
    const document = documentOf({ member, monitor }, place, check);
    const { hosts, port } = place;
    return {
      hosts,
      port,
      // A flat copy, which does not keep its source strings alive.
      key: Buffer.from(targetKey(document)).toString('latin1'),
      generation: createHash('sha256').update(JSON.stringify(document)).digest().readUIntBE(0, 6),
      check: checks.of(JSON.stringify(check), check),
      vantagePoints: watching.of([...vantagePoints].sort().join(), vantagePoints),
    };
  }

  /**
   * Undefined if a key is missing, or the credentials were sealed for other settings. The monitor's members are then without a vote. Other members
   * are checked.
   */
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

/** Stores equal values once. */
class Shared<Value> {
  readonly #values = new Map<string, Value>();

  of(text: string, value: Value): Value {
    const known = this.#values.get(text);
    if (known !== undefined) return known;
    this.#values.set(text, value);
    return value;
  }
}

function* each(byPool: ReadonlyMap<string, readonly KnownTarget[]>): Iterable<KnownTarget> {
  for (const targets of byPool.values()) yield* targets;
}

function textOf(targets: readonly KnownTarget[]): string {
  const hash = createHash('sha256');
  for (const { key, generation, vantagePoints } of targets)
    hash.update(`${key} ${generation} ${[...vantagePoints].sort()} `);
  return hash.digest('base64');
}
