// An event on its way through a shared stream, serialised once for all clients.
import type { StreamCursor } from './stream-cursor.ts';

/** One event for the clients. */
export interface StreamItem {
  readonly cursor: StreamCursor;
  /** From platform/events/facets.ts. Undefined if it is for every reader. */
  readonly facets: readonly string[] | undefined;
  /** The graphql-ws payload, serialised. Undefined if it had no reader when it arrived. */
  readonly text: string | undefined;
  /** True if it only advances the cursor. */
  readonly checkpoint: boolean;
}
