// From what a driver says of itself to the driver that the relay works with: operations and resources by name, the schema of
// its options. What every driver would do at its end is done here once.
import { invariant } from '../../../platform/errors.ts';
import type { Driver, DriverOperation, JsonObject, ResourceReader } from './driver.ts';
import { optionsSchema } from './options.ts';

export interface DriverDefinition extends Omit<Driver, 'optionsSchema' | 'operations' | 'resources'> {
  /** JSON Schema of the options that only this driver has, by name; `required`: which of them a backend can't do without. */
  readonly options?: { readonly properties: JsonObject; readonly required?: readonly string[] };
  /** In the order in which people read them. */
  readonly operations: readonly DriverOperation[];
  /** By the word that BackendObject.resource has for it. */
  readonly resources?: Readonly<Record<string, ResourceReader>>;
}

/** Throws when two operations have one name. */
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
