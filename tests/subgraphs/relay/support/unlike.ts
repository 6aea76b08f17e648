// Compares a call's settings with the device's, as the relay does.
import { comparisonFor } from '../../../../subgraphs/relay/control/calls/outcome-probe.ts';
import { type Difference, differences } from '../../../../subgraphs/relay/control/mappings/differences.ts';
import type { Driver, JsonObject } from '../../../../subgraphs/relay/drivers/driver.ts';

/** `wanted`: the desired values of a call of the operation. */
export function unlike(driver: Driver, operation: string, wanted: JsonObject, found: JsonObject): Difference[] {
  const called = driver.operations.get(operation);
  const { resource = '' } = called?.object?.(called.example) ?? {};
  const reader = driver.resources?.get(resource);
  if (called === undefined || reader === undefined) throw new Error(`${driver.name} has no reader for ${operation}`);
  return differences(wanted, found, comparisonFor(called, reader));
}
