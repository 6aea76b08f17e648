// How far other hosts' clocks are ahead of this one's, from what they said and when it was heard. What is heard late seems behind, so
// of several the one that seems least behind counts. What was said before this process listened tells nothing.

import { monotonicMs } from './clock.ts';

const kept = 20;

export class Clocks {
  readonly #heard = new Map<string, { said: string; readonly leadsMs: number[] }>();

  /** `wallMs`: that host's clock when it said so. */
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

  /** By this host's clock as it is now, also of those that say nothing any more. */
  aheadMs(): Readonly<Record<string, number>> {
    const ownMs = Date.now() - monotonicMs();
    const known = [...this.#heard].filter(([, { leadsMs }]) => leadsMs.length > 0);
    return Object.fromEntries(known.map(([host, { leadsMs }]) => [host, Math.max(...leadsMs) - ownMs]));
  }
}
