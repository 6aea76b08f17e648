// Separates the relay's own keys in external_ids from the keys of others.

import type { JsonValue } from '../driver.ts';
import { mapOf } from './values.ts';

const operationKey = 'tidegate-operation';
/** The bridge on which a port was made: a transaction can't look up a port's bridge. */
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
