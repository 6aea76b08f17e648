// What the relay writes into external_ids of what it makes, and what of external_ids is others'.

import type { JsonValue } from '../driver.ts';
import { mapOf } from './values.ts';

const operationKey = 'tidegate-operation';
/** Which bridge a port was made on: a transaction can't ask a port for its bridge. */
export const bridgeKey = 'tidegate-bridge';

export function withMarks(
  externalIds: Readonly<Record<string, string>> | undefined,
  operationId: string,
  bridge?: string,
): Readonly<Record<string, string>> {
  return { ...externalIds, [operationKey]: operationId, ...(bridge === undefined ? {} : { [bridgeKey]: bridge }) };
}

export function readMarks(value: JsonValue | undefined): {
  readonly operationId: string | undefined;
  readonly externalIds: Readonly<Record<string, string>>;
} {
  const { [operationKey]: operationId, [bridgeKey]: _bridge, ...externalIds } = mapOf(value);
  return { operationId, externalIds };
}
