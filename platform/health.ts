// The health of this process's parts: each part has a check with a deadline, all run at once, and a result is shared for a
// moment, so that frequent requests cost little.
import { within } from './within.ts';

export interface PartHealth {
  /** For example database, redis, sequencer, relay. */
  readonly name: string;
  readonly ready: boolean;
  /** The fault, or a useful figure. */
  readonly detail: string | null;
}

export interface Readiness {
  readonly ready: boolean;
  readonly missing: readonly PartHealth[];
  readonly impaired: readonly PartHealth[];
}

/** Returns a figure or nothing; throws, with the fault, when the part does not work. */
export type HealthCheck = (signal: AbortSignal) => Promise<string | undefined>;

interface Part {
  readonly name: string;
  readonly required: boolean;
  readonly check: HealthCheck;
}

const deadlineMs = 2_000;
const sharedForMs = 500;

export class Health {
  readonly #parts: Part[] = [];
  #answer: { readonly parts: Promise<readonly PartHealth[]>; readonly askedAtMs: number } | undefined;

  /** `required: false`: the process is ready without it (Redis). */
  add(name: string, check: HealthCheck, options: { readonly required?: boolean } = {}): void {
    this.#parts.push({ name, check, required: options.required ?? true });
  }

  /** All parts, in the order they were added. Never throws. */
  parts(): Promise<readonly PartHealth[]> {
    const nowMs = performance.now();
    if (this.#answer === undefined || nowMs - this.#answer.askedAtMs > sharedForMs)
      this.#answer = { parts: Promise.all(this.#parts.map(ask)), askedAtMs: nowMs };
    return this.#answer.parts;
  }

  /** Ready when every required part is: `missing` names those that are not, `impaired` the others that do not work. */
  async readiness(): Promise<Readiness> {
    const required = new Set(this.#parts.filter((part) => part.required).map((part) => part.name));
    const failing = (await this.parts()).filter((part) => !part.ready);
    const missing = failing.filter(({ name }) => required.has(name));
    return { ready: missing.length === 0, missing, impaired: failing.filter(({ name }) => !required.has(name)) };
  }
}

async function ask({ name, check }: Part): Promise<PartHealth> {
  try {
    return { name, ready: true, detail: (await within(deadlineMs, 'no answer', check)) ?? null };
  } catch (error) {
    return { name, ready: false, detail: error instanceof Error ? error.message.slice(0, 500) : String(error) };
  }
}
