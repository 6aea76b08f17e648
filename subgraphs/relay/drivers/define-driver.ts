// Turns a driver's definition into the driver object of the relay: operations and resources by name, the schema of its options.
// Common tasks of all drivers are done here once.
import { invariant } from '../../../platform/errors.ts';
import type { Driver, DriverOperation, JsonObject, ResourceReader } from './driver.ts';
import { optionsSchema } from './options.ts';

export interface DriverDefinition extends Omit<Driver, 'optionsSchema' | 'operations' | 'resources'> {
  /** JSON Schema of the options of this driver only, by name; `required`: those that a backend must have. */
  readonly options?: { readonly properties: JsonObject; readonly required?: readonly string[] };
  /** In the order in which people read them. */
  readonly operations: readonly DriverOperation[];
  /** By the name in BackendObject.resource. */
  readonly resources?: Readonly<Record<string, ResourceReader>>;
}

/** Also the largest value of the setting relay.deviceGraceMs. */
export const longestActsForMs = 600_000;

/** Throws when two operations have the same name, or one acts for too long. */
export function defineDriver(definition: DriverDefinition): Driver {
  const { name, options, operations, resources = {}, ...rest } = definition;
  const byName = new Map(operations.map((operation) => [operation.name, withActsFor(operation, rest.actsForMs)]));
  invariant(byName.size === operations.length, `driver ${name} has two operations of one name`);
  return {
    name,
    ...rest,
    optionsSchema: optionsSchema(rest.ports, options?.properties, options?.required),
    operations: byName,
    resources: new Map(Object.entries(resources)),
  };
}

function withActsFor(operation: DriverOperation, ofDriver: number | undefined): DriverOperation {
  const actsForMs = operation.actsForMs ?? ofDriver;
  if (actsForMs === undefined || operation.effect === 'READ') return operation;
  invariant(actsForMs >= 0 && actsForMs <= longestActsForMs, `${operation.name} acts for ${actsForMs} ms`);
  return { ...operation, actsForMs };
}
