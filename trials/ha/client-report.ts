// Reports from the client's process to the trial, one line of JSON each. All times are monotonic milliseconds.
import type { Acknowledgement } from './verdict.ts';

export type ClientReport =
  | ({ readonly kind: 'acknowledged' } & Acknowledgement)
  /** A write that ended without an acknowledgement or a refusal. */
  | { readonly kind: 'unknown' }
  /** A primary answered a read without a write that had been acknowledged before the read was sent. */
  | { readonly kind: 'stale'; readonly host: string; readonly read: number; readonly acknowledged: number }
  /** The numbers of events are not consecutive, or an event that was read has another number now. */
  | { readonly kind: 'gap'; readonly host: string; readonly after: number; readonly found: number };
