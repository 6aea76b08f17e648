// A mapping as its row holds it: the model's columns, with the words that some of them are limited to.

import type { Mapping } from '../../../generated/prisma/client.ts';
import type { mappingStates, verifyResults } from '../model/states.ts';

export type MappingState = (typeof mappingStates)[number];

/** What the last look at the backend object found. */
export type VerifyResult = (typeof verifyResults)[number];

interface Words {
  readonly state: MappingState;
  readonly verifyResult: VerifyResult | null;
}

/**
 * `desired` is JSON text: what the object should be like, in the words of the driver's resource (null: nothing is known).
 * `verifyDiff` is JSON text of a list of differences. `operationId` is the call that made it (null: it was adopted).
 */
export interface MappingRow extends Readonly<Omit<Mapping, 'ownerSlot' | keyof Words>>, Words {}
