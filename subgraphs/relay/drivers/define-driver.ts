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

/** Throws when two operations have the same name. */
export function defineDriver(definition: DriverDefinition): Driver {
  const { name, options, operations, resources = {}, ...rest } = definition;
  const byName = new Map(operations.map((operation) => [operation.name, operation]));
  invariant(byName.size === operations.length, `driver ${name} has two operations of one name`);
  return {
    name,
    ...rest,
    optionsSchema: optionsSchema(rest.ports, options?.properties, options?.required),
    operations: byName,
    resources: new Map(Object.entries(resources)),
  };
}
