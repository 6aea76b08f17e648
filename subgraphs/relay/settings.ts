// The relay's times and bounds, with their defaults. Tests make them shorter; nothing reads them from the environment.

export interface RelaySettings {
  /** From before the SENT commit to the first byte; past it nothing is sent. */
  readonly sendWindowMs: number;
  /** How long a device may go on executing after its connection was destroyed. */
  readonly deviceExecutionMs: number;
  /** After a crash: how long past its deadline a call may still take effect (a partition that heals). */
  readonly crashQuietMs: number;
  /** How long past its deadline a dead owner's call stays SENT. */
  readonly recoveryGraceMs: number;
  /** How long a call may wait to be sent. */
  readonly queueTimeoutMs: number;
  /** Failed connects in a row that open a circuit. */
  readonly circuitFailures: number;
  /** After it one call is let through to try. */
  readonly circuitRetryMs: number;
  /** Recovery and housekeeping. */
  readonly tickMs: number;
  /** A backend without calls is let go after it. */
  readonly holderIdleMs: number;
  /** Verdicts that may wait for the database; past it no new calls are taken. */
  readonly mostUnrecorded: number;
  /** The most a drain waits for calls on the wire. */
  readonly drainMs: number;
  readonly connectTimeoutMs: number;
}

export const defaultSettings: RelaySettings = {
  sendWindowMs: 2_000,
  deviceExecutionMs: 10_000,
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
};
