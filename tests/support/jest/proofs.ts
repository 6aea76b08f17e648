// Proofs of a test besides its `expect`s: waits that end only when their condition holds. A test without any proof
// passes whatever the product does, so the environment fails it (test-environment.ts).
import { channel } from 'node:diagnostics_channel';

/** Receives a message for each wait that has ended because its condition holds. */
export const proofs = channel('tidegate:test-proof');
