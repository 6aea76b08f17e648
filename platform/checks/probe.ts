// A probe checks one kind of target: one file with a name, the JSON Schema of its parameters, and `check`.
import { Ajv, type ValidateFunction } from 'ajv';
import type { EgressPolicy } from '../net/egress.ts';

/** What a check measured. Each probe defines its own `detail`. */
export interface CheckReading<Detail = unknown> {
  readonly up: boolean;
  /** The failure; null on success. */
  readonly message: string | null;
  readonly detail: Detail | null;
  /** Recorded at once, even when it changes no status and no sample is due. */
  readonly notable?: boolean;
  /** The check was not made, because the egress policy denies its address. The reading says nothing about the target. */
  readonly denied?: true;
}

/** One running check, as its probe sees it. */
export interface ProbeRun {
  /** Address of the target. */
  readonly targetId: string;
  readonly revision: string;
  readonly timeoutMs: number;
  /** Every dialled address must be allowed by it. */
  readonly egress: EgressPolicy;
  /** Aborted at the deadline. `onCancel` costs less. */
  readonly signal: AbortSignal;
  /**
   * Called once, at the deadline or when the checker stops. Called at once if the deadline has already passed. A later call
   * replaces the function.
   */
  onCancel(cancel: () => void): void;
}

export interface Probe<Parameters = unknown, Detail = unknown> {
  /** The name in targets: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** JSON Schema (draft 7) of the parameters. */
  readonly parameters: object;
  /** Resolves with the result: a target without an answer is `up: false`. Rejects when the check could not be made at all. */
  check(parameters: Parameters, run: ProbeRun): Promise<CheckReading<Detail>>;
}

export const isUp: CheckReading<never> = Object.freeze({ up: true, message: null, detail: null });

export function isDown(message: string): CheckReading<never> {
  return { up: false, message, detail: null };
}

/** The probes of a checker, by name. Parameters are validated once, when a target is added, not at each check. */
export class ProbeTable {
  readonly #probes = new Map<string, { readonly probe: Probe; readonly validate: ValidateFunction }>();

  constructor(probes: readonly Probe<never>[]) {
    const ajv = new Ajv({ allErrors: true, strict: true });
    for (const probe of probes as readonly Probe[]) {
      if (this.#probes.has(probe.name)) throw new Error(`two probes are named ${probe.name}`);
      this.#probes.set(probe.name, { probe, validate: ajv.compile(probe.parameters) });
    }
  }

  /** The schemas, for publication. */
  schemas(): { readonly name: string; readonly parameters: object }[] {
    return [...this.#probes.values()].map(({ probe: { name, parameters } }) => ({ name, parameters }));
  }

  /** Faults of these parameters; empty when they are valid. */
  faults(name: string, parameters: unknown): string[] {
    const known = this.#probes.get(name);
    if (known === undefined) return [`no probe is named "${name}"; there are: ${[...this.#probes.keys()].join(', ')}`];
    if (known.validate(parameters)) return [];
    return (known.validate.errors ?? []).map(
      (error) => `${error.instancePath || '/'} ${error.message ?? 'is not valid'}`,
    );
  }

  get(name: string): Probe | undefined {
    return this.#probes.get(name)?.probe;
  }
}
