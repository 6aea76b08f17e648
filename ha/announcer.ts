// What an agent tells those outside who go to the primary: a virtual address, a name, a balancer's check.

export interface Announcer {
  /** Writes are open, until then (`monotonicMs`) at most. Told again with each renewal. `epoch`: of this primary. */
  held(fenceAtMs: number, epoch: number): void;
  /** Told with each look that finds it so. */
  lost(): void;
}

export function together(all: readonly Announcer[]): Announcer {
  return {
    held: (fenceAtMs, epoch) => all.forEach((each) => void each.held(fenceAtMs, epoch)),
    lost: () => all.forEach((each) => void each.lost()),
  };
}
