// Turns a driver's definition into the driver object of the relay: operations and resources by name, the schema of its options.
// Common tasks of all drivers are done here once.
import { invariant } from '../../../platform/errors/errors.ts';
import { isSecretName } from '../../../platform/values/secret-names.ts';
import type { Driver, DriverOperation, JsonObject, ResourceReader } from './driver.ts';
import { isObject } from './json.ts';
import { optionsSchema } from './options.ts';
import { hasFreeForm } from './secret-values.ts';

interface DriverDefinition extends Omit<Driver, 'optionsSchema' | 'operations' | 'resources'> {
  /** JSON Schema of the options of this driver only, by name. `required`: the options that a backend must have. */
  readonly options?: { readonly properties: JsonObject; readonly required?: readonly string[] };
  /** In the order in which they are shown to people. */
  readonly operations: readonly DriverOperation[];
  /** By the name in BackendObject.resource. */
  readonly resources?: Readonly<Record<string, ResourceReader>>;
}

/** Also the largest value of the setting relay.deviceGraceMs. */
export const longestActsForMs = 600_000;

/**
 * Throws when two operations have the same name, one acts for too long, a check does not state its depth, a secret argument
 * could be shown, or a kind of object does not declare its ownership.
 */
export function defineDriver(definition: DriverDefinition): Driver {
  const { name, options, operations, resources = {}, ...rest } = definition;
  const byName = new Map(
    operations.map((operation) => {
      const timed = withActsFor(withFreeForm(operation, resources), rest.actsForMs);
      return [operation.name, withChecks(timed, rest.checks)];
    }),
  );
  invariant(byName.size === operations.length, `driver ${name} has two operations of one name`);
  for (const operation of operations) checkSecrets(operation);
  checkOwnership(name, operations, Object.keys(resources), rest.ownership);
  return {
    name,
    ...rest,
    optionsSchema: optionsSchema(rest.ports, options?.properties, options?.required),
    operations: byName,
    resources: new Map(Object.entries(resources)),
  };
}

function checkOwnership(
  driver: string,
  operations: readonly DriverOperation[],
  resources: readonly string[],
  ownership: Driver['ownership'],
): void {
  const changed = operations.flatMap(({ object, example }) => object?.(example).resource ?? []);
  const kinds = new Set([...changed, ...resources]);
  for (const kind of kinds)
    invariant(
      Object.hasOwn(ownership, kind),
      `driver ${driver} does not declare what makes sure that a ${kind} is the meant one (ownership)`,
    );
  for (const kind of Object.keys(ownership))
    invariant(kinds.has(kind), `driver ${driver} declares the ownership of ${kind}, which no operation changes`);
}

/** The values that a call sets, or finds, are compared with recorded ones, so the reader must know which of them it does not show. */
function withFreeForm(
  operation: DriverOperation,
  resources: Readonly<Record<string, ResourceReader>>,
): DriverOperation {
  const { name, mapping, object, example, argumentsSchema } = operation;
  if (object === undefined || mapping === undefined) return operation;
  const { freeForm } = resources[object(example).resource] ?? {};
  invariant(
    freeForm !== undefined || !hasFreeForm(argumentsSchema),
    `${name} has values under names of its caller: the reader of its object must say so (freeForm)`,
  );
  return freeForm === undefined ? operation : { ...operation, freeForm };
}

function withChecks(operation: DriverOperation, ofDriver: string | undefined): DriverOperation {
  if (operation.renderDryRun === undefined) return operation;
  const checks = operation.checks ?? ofDriver;
  invariant(
    checks !== undefined,
    `${operation.name} has a check of the device, but does not say how deep it is (checks)`,
  );
  return { ...operation, checks };
}

function withActsFor(operation: DriverOperation, ofDriver: number | undefined): DriverOperation {
  const actsForMs = operation.actsForMs ?? ofDriver;
  if (actsForMs === undefined || operation.effect === 'READ') return operation;
  invariant(actsForMs >= 0 && actsForMs <= longestActsForMs, `${operation.name} acts for ${actsForMs} ms`);
  return { ...operation, actsForMs };
}

/** Shorter secrets can't be cut out of the device's output. */
const shortestSecret = 4;

/**
 * Inputs are cleaned by the names of their members, so a secret argument must have such a name, and an argument with such a name
 * must be a secret one. It is a string at the top, of calls that change something.
 */
function checkSecrets({ name, effect, argumentsSchema }: DriverOperation): void {
  for (const [argument, schema] of Object.entries((argumentsSchema.properties ?? {}) as JsonObject)) {
    if (!isObject(schema)) continue;
    const isSecret = schema.writeOnly === true;
    const what = `${name}: the argument ${argument}`;
    invariant(
      isSecret === isSecretName(argument),
      `${what} must be writeOnly and have the name of a secret, or neither`,
    );
    if (!isSecret) continue;
    invariant(effect !== 'READ', `${what} is secret, but the operation is a READ`);
    invariant(
      schema.type === 'string' && Number(schema.minLength) >= shortestSecret,
      `${what} is secret: it must be a string of at least ${shortestSecret} characters`,
    );
  }
}
