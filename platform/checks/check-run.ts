// One running check of one target: its start, its deadline, and the context for its probe.
import type { EgressPolicy } from '../net/egress.ts';
import type { CheckTarget } from './check-tenant.ts';
import type { FallRise } from './fall-rise.ts';
import type { Probe, ProbeRun } from './probe.ts';

/** A target that this engine checks. */
export interface Entry {
  readonly target: CheckTarget;
  readonly probe: Probe;
  readonly shard: number;
  readonly fallRise: FallRise;
  /** Checks are due at phase + n × interval, so that load stays spread. */
  readonly phaseMs: number;
  dueMs: number;
  /** When the next sample is due; undefined before its first check. */
  sampleMs: number | undefined;
  /** Its last check ended at the deadline. */
  silent: boolean;
  /** A slow check of this target was recorded as a doubt. The next success ends the doubt. */
  doubted?: boolean;
}

export class CheckRun implements ProbeRun {
  readonly entry: Entry;
  readonly egress: EgressPolicy;
  readonly startedMs: number;
  readonly deadlineMs: number;
  /** The kind of slot that it occupies. */
  slot: 'up' | 'others' | 'silent' = 'up';
  #controller: AbortController | undefined;
  #cancel: (() => void) | undefined;
  #cancelled = false;

  constructor(entry: Entry, egress: EgressPolicy, startedMs: number) {
    this.entry = entry;
    this.egress = egress;
    this.startedMs = startedMs;
    this.deadlineMs = startedMs + entry.target.timeoutMs;
  }

  get targetId(): string {
    return this.entry.target.id;
  }

  get revision(): string {
    return this.entry.target.revision;
  }

  get timeoutMs(): number {
    return this.entry.target.timeoutMs;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  onCancel(cancel: () => void): void {
    if (this.#cancelled) cancel();
    else this.#cancel = cancel;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#cancel?.();
    this.#controller?.abort();
  }
}
