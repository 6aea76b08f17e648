// Proofs of a test beside its `expect`s: a wait that ends only when what it waits for has come. A test without any passes whatever the
// product does, so the environment fails it (test-environment.ts).
import { channel } from 'node:diagnostics_channel';

/** Receives a message for each wait that has ended because its condition holds. */
export const proofs = channel('tidegate:test-proof');
