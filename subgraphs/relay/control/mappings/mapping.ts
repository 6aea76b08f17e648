// A mapping as its row holds it: the model's columns, some limited to certain words.

import type { Mapping } from '../../../../generated/prisma/client.ts';
import type { CmpObjectKey } from '../../../../platform/graph/cmp-object.ts';
import type { mappingStates, verifyResults } from '../../rules/states.ts';

export type MappingState = (typeof mappingStates)[number];

/** The finding of the last read of the backend object. */
export type VerifyResult = (typeof verifyResults)[number];

interface Words {
  readonly state: MappingState;
  readonly verifyResult: VerifyResult | null;
}

/**
 * `desired` is JSON text: the desired state in the terms of the driver's resource (null: not known). `verifyDiff` is JSON text of
 * a list of differences. `operationId` is the call that created it (null: it was adopted).
 */
export interface MappingRow extends Readonly<Omit<Mapping, 'ownerSlot' | keyof Words>>, Words {}

/** The CMP object of a mapping. */
export function cmpObjectOfMapping(row: Pick<MappingRow, 'namespace' | 'cmpType' | 'cmpId'>): CmpObjectKey {
  return { namespace: row.namespace, type: row.cmpType, externalId: row.cmpId };
}
