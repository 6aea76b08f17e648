// The wanted values, and their times. From the moment a change is sent until it is in effect, both the old and the new value are right.

interface Entry<Value> {
  readonly value: Value;
  readonly fromMs: number;
  untilMs: number;
}

/** The values of something that changes, each with the period in which it was right. */
export class Timeline<Value> {
  readonly #entries: Entry<Value>[];

  constructor(value: Value, fromMs = 0) {
    this.#entries = [{ value, fromMs, untilMs: Number.POSITIVE_INFINITY }];
  }

  get now(): Value {
    return (this.#entries.at(-1) as Entry<Value>).value;
  }

  /** Returns a function that ends the earlier values; call it when the change is in effect. */
  change(value: Value, sentMs: number): (effectiveMs: number) => void {
    const older = [...this.#entries];
    this.#entries.push({ value, fromMs: sentMs, untilMs: Number.POSITIVE_INFINITY });
    return (effectiveMs) => {
      for (const each of older) each.untilMs = Math.min(each.untilMs, effectiveMs);
    };
  }

  during(fromMs: number, untilMs: number): readonly Value[] {
    return this.#entries.filter((each) => each.fromMs <= untilMs && each.untilMs >= fromMs).map(({ value }) => value);
  }

  /** A description in words. */
  told(word: (value: Value) => string): string {
    return this.#entries
      .map(({ value, fromMs, untilMs }) => `${word(value)} ${fromMs.toFixed(0)}-${untilMs.toFixed(0)}`)
      .join(', ');
  }

  /** Drops values that are no longer needed. */
  forget(beforeMs: number): void {
    const kept = this.#entries.filter(({ untilMs }) => untilMs >= beforeMs);
    this.#entries.splice(0, this.#entries.length, ...kept);
  }
}

/**
 * The expected outcome of a request: an answer by a member of a pool, an answer by the load balancer itself, or no answer, either for this
 * client or because the listener is OFF.
 */
export type Outcome = { readonly pool: Pool } | 'DENIED' | 'REDIRECTED' | 'CLOSED' | 'OFF';

export interface Pool {
  readonly name: string;
  /** By member number: the clients that it may answer. */
  readonly members: Map<number, Timeline<Serves>>;
  /** Whether a client with a member's cookie reaches that member. */
  readonly sticky: Timeline<boolean>;
}

/**
 * ITS_OWN: clients with its cookie, because it is drained. ALL: any client, though some node may not yet know that it is healthy. SURE: any
 * client, and clients with its cookie must reach it.
 */
export type Serves = 'NOBODY' | 'ITS_OWN' | 'ALL' | 'SURE';

/** Paths of one listener. */
export interface Route {
  readonly name: string;
  readonly outcome: Timeline<Outcome>;
}

/** Certificates of a listener that a client may get for a name: SHA-256, hex. */
export type Names = Map<string, Timeline<string>>;
