// A checker's targets: documents of the link, kept only in memory, because they may contain credentials. They are the check engine's list of targets.
import type { CheckTarget, CheckTargets, TargetChanges } from '../../../../platform/checks/check-tenant.ts';
import { mostDocuments } from '../../../../platform/link/messages.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import type { Position } from '../../../../platform/values/positions.ts';
import { type Target, targetDocument, targetKey, targetOfKey } from '../../wire/checker-wire.ts';
import type { ProbedTarget } from './target-probe.ts';

interface Entry {
  readonly position: Position;
  /** Rises with each new target. */
  readonly arrival: number;
  /** Undefined if it can't be checked here. */
  readonly check: CheckTarget | undefined;
}

interface TargetBookOptions {
  readonly log: Logger;
  /** Types of monitors that have a plugin here. */
  readonly plugins: ReadonlySet<string>;
  /** Called with the target's id. */
  readonly gone: (target: string) => void;
}

const mostTargets = 200_000;

export class TargetBook implements CheckTargets {
  readonly #options: TargetBookOptions;
  /** Keyed by the document's key. */
  readonly #entries = new Map<string, Entry>();
  /** Ids that changed since the engine last asked. */
  readonly #changed = new Set<string>();
  readonly #listeners = new Set<() => void>();
  /** Keys that the other end of this connection knows. Undefined before the first connection. */
  #known: Set<string> | undefined;
  #cursor = 0;
  #arrivals = 0;

  constructor(options: TargetBookOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Positions by key. */
  held(): ReadonlyMap<string, Position> {
    return new Map([...this.#entries].map(([key, { position }]) => [key, position]));
  }

  /** A connection begins. The other end will send this many documents, and only confirm the rest. */
  connected(): void {
    this.#known = new Set([...this.#entries.keys()].slice(0, mostDocuments));
  }

  /** The other end has named all. */
  whole(): void {
    for (const key of [...this.#entries.keys()]) if (this.#known?.has(key) === false) this.remove(key);
  }

  /** An unreadable document is logged and kept without checks, so that it doesn't block the others. */
  put(key: string, position: Position, document: JsonValue): void {
    const id = targetOfKey(key);
    if (id === undefined) return;
    const { log } = this.#options;
    if (!this.#entries.has(key) && this.#entries.size >= mostTargets) {
      log.error({ target: id }, `a target is left out: there are ${mostTargets} already`);
      return;
    }
    // A target that was removed and added again before the engine polled is a new one: its verdict was dropped and must be
    // determined again.
    const known = this.#entries.get(key);
    if (known === undefined) this.#arrivals += 1;
    const arrival = known?.arrival ?? this.#arrivals;
    const read = targetDocument.safeParse(document);
    let check: CheckTarget | undefined;
    if (!read.success) log.error({ target: id, faults: faultsOf(read.error) }, "a target can't be read");
    else if (targetKey(read.data) !== key) log.error({ target: id }, 'a target has the document of another');
    else if (!this.#options.plugins.has(read.data.type))
      log.error({ target: id, type: read.data.type }, 'no plugin of this checker has the type of a target');
    else check = checkOf(id, `${position.number}/${arrival}`, read.data);
    this.#entries.set(key, { position, arrival, check });
    this.#known?.add(key);
    if (check === undefined) this.#options.gone(id);
    this.#note(id);
  }

  remove(key: string): void {
    const id = targetOfKey(key);
    if (id === undefined || !this.#entries.delete(key)) return;
    this.#known?.delete(key);
    this.#options.gone(id);
    this.#note(id);
  }

  async listTargets(): Promise<{ readonly targets: readonly CheckTarget[]; readonly cursor: string }> {
    this.#changed.clear();
    return { targets: [...this.#entries.values()].flatMap(({ check }) => check ?? []), cursor: this.#next() };
  }

  async changesAfter(cursor: string): Promise<TargetChanges | undefined> {
    if (cursor !== String(this.#cursor)) return undefined;
    const ids = [...this.#changed];
    this.#changed.clear();
    const found = ids.map((id) => [id, this.#entries.get(`target/${id}`)?.check] as const);
    return {
      targets: found.flatMap(([, check]) => check ?? []),
      gone: found.filter(([, check]) => check === undefined).map(([id]) => id),
      cursor: this.#next(),
    };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #next(): string {
    this.#cursor += 1;
    return String(this.#cursor);
  }

  #note(id: string): void {
    this.#changed.add(id);
    for (const listener of this.#listeners) listener();
  }
}

function checkOf(id: string, revision: string, target: Target): CheckTarget {
  const { type, hosts, port, parameters, secret, authBlocks, delayMs, timeoutMs, failures, successes, confirmMs } =
    target;
  const probed: ProbedTarget = {
    ...{ hosts, port, parameters },
    ...(secret === undefined ? {} : { secret }),
    ...(authBlocks === undefined ? {} : { authBlocks }),
  };
  return {
    ...{ id, probe: type, parameters: probed, intervalMs: delayMs, timeoutMs, fall: failures, rise: successes },
    confirmMs: Math.min(confirmMs, Math.floor(delayMs / 2)),
    ...{ status: 'UNKNOWN', revision },
  };
}

/** Omits the values, which may contain credentials. */
function faultsOf(error: { readonly issues: readonly { readonly path: PropertyKey[]; readonly code: string }[] }) {
  return error.issues.slice(0, 10).map(({ path, code }) => `${path.map(String).join('.')}: ${code}`);
}
