// What an agent tells those outside who go to the primary: a virtual address, a balancer's check.

export interface Announcer {
  /** Writes are open, until then (`monotonicMs`) at most. Told again with each renewal. */
  held(fenceAtMs: number): void;
  /** Told with each look that finds it so. */
  lost(): void;
}

export function together(all: readonly Announcer[]): Announcer {
  return {
    held: (fenceAtMs) => all.forEach((each) => void each.held(fenceAtMs)),
    lost: () => all.forEach((each) => void each.lost()),
  };
}
