// The admission of a member by this primary: its stage, the host that commits wait for, and the hosts that failed to acknowledge.

import type { Admission } from '../view.ts';

export class Admissions {
  readonly #hosts: readonly string[];
  readonly #nowMs: () => number;
  #current: Admission | undefined;
  /** The host that commits wait for, or last waited for. Undefined if only an earlier agent knew it. */
  #waitedFor: string | undefined;
  readonly #failedAtMs: Record<string, number> = {};

  constructor(hosts: readonly string[], nowMs: () => number) {
    this.#hosts = hosts;
    this.#nowMs = nowMs;
  }

  get current(): Admission | undefined {
    return this.#current;
  }

  /** When each host last failed to acknowledge. */
  get failedAtMs(): Readonly<Record<string, number>> {
    return this.#failedAtMs;
  }

  /** The host has its own account. Commits do not wait for it yet. */
  invited({ host, id }: Pick<Admission, 'host' | 'id'>, early: boolean): void {
    this.#current = { host, id, sinceMs: this.#nowMs(), stage: 'invited', early };
  }

  waitFor(host: string): void {
    this.#waitedFor = host;
  }

  /** Makes commits wait for the host. */
  armed({ id }: Admission, host: string, incarnation: string): void {
    this.#current = { host, id, incarnation, sinceMs: this.#nowMs(), stage: 'armed' };
  }

  /** Returns what `proved` needs. Undefined if no host is being admitted. */
  prove(): Admission | undefined {
    if (this.#current === undefined) return undefined;
    this.#current = { ...this.#current, stage: 'proving' };
    return this.#current;
  }

  /** The commit of `proving` has ended. If that admission is over, the commit was released without an acknowledgement. */
  proved(proving: Admission): void {
    if (this.#current === proving) this.#current = { ...proving, stage: 'proved' };
  }

  /** `yields`: another host that is ready takes its place. This host has not failed. */
  refused(yields: boolean): void {
    if (!yields) this.#failed(this.#current?.host);
    this.end();
  }

  /** Commits of clients were released without an acknowledgement. */
  letGo(): void {
    this.#failed(this.#waitedFor);
  }

  end(): void {
    this.#current = undefined;
  }

  #failed(host: string | undefined): void {
    for (const each of host === undefined ? this.#hosts : [host]) this.#failedAtMs[each] = this.#nowMs();
  }
}
