// The relay's times and bounds, with their defaults. Tests make them shorter; they are not read from the environment.

export interface RelaySettings {
  /** From before the SENT commit to the first byte; after it nothing is sent. */
  readonly sendWindowMs: number;
  /** The shortest time for which a device may act on a call once its connection was cut. A driver may declare a longer time. */
  readonly deviceGraceMs: number;
  /** Replaces the times of drivers, for tests and trials with devices that are known to be quicker. */
  readonly deviceExecutionMs?: number;
  /** After a crash: how long after its deadline a call may still take effect (a partition that heals). */
  readonly crashQuietMs: number;
  /** How long after its deadline a dead owner's call stays SENT. */
  readonly recoveryGraceMs: number;
  /** How long a call may wait to be sent. */
  readonly queueTimeoutMs: number;
  /** Consecutive failed connects that open a circuit. */
  readonly circuitFailures: number;
  /** Then one call is let through as a trial. */
  readonly circuitRetryMs: number;
  /** Interval of recovery and housekeeping. */
  readonly tickMs: number;
  /** Then a backend without calls is released. */
  readonly holderIdleMs: number;
  /** The most verdicts that may wait for the database; beyond it no new calls are accepted. */
  readonly mostUnrecorded: number;
  /** The longest time that a drain waits for calls on the wire. */
  readonly drainMs: number;
  readonly connectTimeoutMs: number;
  /** Backends of its family are called from it, and only by a host that has it: the virtual address of a cluster of hosts. */
  readonly sourceAddress?: string | undefined;
  /** Time from an ACCEPTED call to the first poll of its job, if a caller waits. Each further pause is twice as long. */
  readonly firstJobLookMs: number;
  /** The longest pause between two polls. */
  readonly jobLookMs: number;
}

export const defaultSettings: RelaySettings = {
  sendWindowMs: 2_000,
  deviceGraceMs: 10_000,
  crashQuietMs: 120_000,
  recoveryGraceMs: 5_000,
  queueTimeoutMs: 300_000,
  circuitFailures: 3,
  circuitRetryMs: 10_000,
  tickMs: 1_000,
  holderIdleMs: 60_000,
  mostUnrecorded: 1_000,
  drainMs: 30_000,
  connectTimeoutMs: 10_000,
  firstJobLookMs: 500,
  jobLookMs: 5_000,
};

/** How long a device may still act on a call of the operation once its connection was cut. */
export function actsForMs(
  operation: { readonly actsForMs?: number } | undefined,
  { deviceGraceMs, deviceExecutionMs }: Pick<RelaySettings, 'deviceGraceMs' | 'deviceExecutionMs'>,
): number {
  return deviceExecutionMs ?? Math.max(deviceGraceMs, operation?.actsForMs ?? 0);
}
