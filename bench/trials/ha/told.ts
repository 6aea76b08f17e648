// What the client's process tells the trial, a line of JSON each. All times are monotonic milliseconds.
import type { Acknowledgement } from './judge.ts';

export type Told =
  | ({ readonly kind: 'acknowledged' } & Acknowledgement)
  /** A write that ended with neither an acknowledgement nor a refusal. */
  | { readonly kind: 'unknown' }
  /** A primary that answered a read without a write that was acknowledged before the read was sent. */
  | { readonly kind: 'stale'; readonly host: string; readonly read: number; readonly acknowledged: number }
  /** The events' numbers are not one after the other, or one that was read has another number now. */
  | { readonly kind: 'gap'; readonly host: string; readonly after: number; readonly found: number };
