// Whether the screen shows the current state: derived from when the stream last sent something, never assumed.

/** Checkpoints come every 30 s; after this long without a message the stream counts as silent. */
const silentAfterMs = 45_000;
/** A shorter interruption of the socket is ignored. */
export const downAfterMs = 5_000;

type Liveness = 'LIVE' | 'RECONNECTING' | 'STALE';

export interface Connection {
  readonly connected: boolean;
  /** When `connected` last changed, in milliseconds. */
  readonly sinceMs: number;
  /** When the last message (checkpoint or change) came. Null before the first one. */
  readonly lastMessageMs: number | null;
  /** Why the socket is down, for people. */
  readonly reason: string | null;
}

export function livenessOf(connection: Connection, nowMs: number): Liveness {
  const sinceMs = nowMs - connection.sinceMs;
  if (!connection.connected) return sinceMs > downAfterMs ? 'STALE' : 'RECONNECTING';
  // A new connection proves that the server is there, so silence counts from then.
  const heardMs = Math.max(connection.lastMessageMs ?? 0, connection.sinceMs);
  return nowMs - heardMs > silentAfterMs ? 'STALE' : 'LIVE';
}
