// Refusals that a mutation's description does not name (terms.ts), on a channel of Node, so that whoever runs the graph decides what they
// cost: a process logs them, and a test fails with them.
import { channel } from 'node:diagnostics_channel';

/** A refusal that the mutation's description does not name: a fault of the SDL, which costs the caller nothing. */
export interface UndeclaredRefusal {
  readonly mutation: string;
  readonly code: string;
}

/** Carries each UndeclaredRefusal: a process logs them, and tests fail with them. */
export const undeclaredRefusals = channel('tidegate:undeclared-refusal');
