// How far the clocks of other hosts are ahead of this host's clock, computed from their reports and the arrival times. A late report makes
// a clock seem behind, so the report with the largest lead counts. Reports from before this process listened are ignored.

import { monotonicMs } from './clock.ts';

const kept = 20;

export class Clocks {
  readonly #heard = new Map<string, { said: string; readonly leadsMs: number[] }>();

  /** `wallMs`: that host's clock at the time of its report. */
  hear(host: string, said: string, wallMs: number | undefined): void {
    const heard = this.#heard.get(host);
    if (heard === undefined) {
      this.#heard.set(host, { said, leadsMs: [] });
      return;
    }
    if (heard.said === said || wallMs === undefined) return;
    heard.said = said;
    heard.leadsMs.push(wallMs - monotonicMs());
    if (heard.leadsMs.length > kept) heard.leadsMs.shift();
  }

  /** Relative to this host's current clock. Includes hosts that no longer report. */
  aheadMs(): Readonly<Record<string, number>> {
    const ownMs = Date.now() - monotonicMs();
    const known = [...this.#heard].filter(([, { leadsMs }]) => leadsMs.length > 0);
    return Object.fromEntries(known.map(([host, { leadsMs }]) => [host, Math.max(...leadsMs) - ownMs]));
  }
}
