// Readiness details about checks that start late, and the cause.
import type { CheckEngine } from '../platform/checks/check-engine.ts';
import type { StarvationGuard } from '../platform/checks/starvation-guard.ts';

/** Checks of targets that are up must start within this time, or the process reports it. */
const mostLateMs = 1_000;

/** After a standstill of the process, checks are late for so long without being too many. */
const catchUpMs = 20_000;

/** The delays of checks. Throws if those of targets that are up are too long. */
export function delaysOf(
  engines: readonly Pick<CheckEngine<unknown>, 'name' | 'delays'>[],
  guard: Pick<StarvationGuard, 'starvedSince'>,
): string | undefined {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  for (const engine of engines) {
    const { upMs, targets } = engine.delays();
    if (upMs <= mostLateMs) continue;
    const why = guard.starvedSince(performance.now() - catchUpMs)
      ? 'this process or its machine stood still, and catches up'
      : `${targets} are more than this process can check; add a worker`;
    throw new Error(`checks of ${engine.name} begin up to ${seconds(upMs)} late: ${why}`);
  }
  return engines
    .map((engine) => {
      const { targets, upMs, othersMs } = engine.delays();
      return `${engine.name}: ${targets}, late by ${seconds(upMs)}, targets that are down by ${seconds(othersMs)}`;
    })
    .join('; ');
}
