// The clocks of a name server. Only signatures and cookies use the time of day, which people and NTP can set. Durations are
// measured with clocks that never step.
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

export interface Clocks {
  /** Milliseconds since 1970. May step. */
  wallMs(): number;
  /** Milliseconds since some moment. Never falls, and stops while the machine is suspended. */
  steadyMs(): number;
  /** Milliseconds since the machine booted, including suspended time. Never falls. */
  upMs(): number;
  /** Identifies this boot of the machine. Undefined if the system has no boot ID. */
  readonly bootId: string | undefined;
}

export function systemClocks(): Clocks {
  return {
    wallMs: () => Date.now(),
    steadyMs: () => performance.now(),
    upMs: () => uptime() * 1_000,
    bootId: readBootId(),
  };
}

/** proc_sys_kernel(5): random for each boot. */
function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
