// When the parts of a request were done. Only requests for the access log have it.

/** Milliseconds of each part. A part that the request did not have is absent. */
interface PartsMs {
  /** Reading the body. */
  readonly read?: number;
  /** Checking the credential, parsing and validating the document. */
  readonly parse?: number;
  readonly plan?: number;
  /** Requests to subgraphs, and joining their answers. */
  readonly fetch?: number;
  /** Making the text of the answer, compressing and sending it. */
  readonly serialise?: number;
}

type Part = keyof PartsMs;

export class RequestTimes {
  readonly #startedMs = performance.now();
  readonly #parts: { -readonly [Name in Part]?: number } = {};
  #lastMs = this.#startedMs;

  /** The part that began when the one before it was done. */
  done(part: Part): void {
    const nowMs = performance.now();
    this.#parts[part] = rounded(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  get totalMs(): number {
    return rounded(performance.now() - this.#startedMs);
  }

  get parts(): PartsMs {
    return this.#parts;
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
