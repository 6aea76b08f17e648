// A mapping as its row holds it: the model's columns, some limited to certain words.

import type { Mapping } from '../../../../generated/prisma/client.ts';
import type { CmpObjectKey } from '../../../../platform/pages/cmp-object.ts';
import type { JsonObject, MappedObject } from '../../drivers/driver.ts';
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
 * a list of differences. `operationId` is the last call that created it (null: it was adopted).
 */
export interface MappingRow extends Readonly<Omit<Mapping, 'ownerSlot' | keyof Words>>, Words {}

/** The CMP object of a mapping. */
export function cmpObjectOfMapping(row: Pick<MappingRow, 'namespace' | 'cmpType' | 'cmpId'>): CmpObjectKey {
  return { namespace: row.namespace, type: row.cmpType, externalId: row.cmpId };
}

/** The object of a mapping, for its driver. */
export function mappedObjectOf({
  scope,
  objectKey: key,
  uuid,
  operationId,
  lastOperationId,
  desired,
}: Pick<MappingRow, 'scope' | 'objectKey' | 'uuid' | 'operationId' | 'lastOperationId' | 'desired'>): MappedObject {
  return {
    ...{ scope, key, uuid },
    ...(operationId === null ? {} : { madeBy: operationId }),
    ...(lastOperationId === null ? {} : { changedBy: lastOperationId }),
    ...(desired === null ? {} : { recorded: JSON.parse(desired) as JsonObject }),
  };
}
