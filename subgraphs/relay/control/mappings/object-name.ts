// Checks that an object's name is the one that the driver itself would use. An adopted object's name comes from outside: a name
// that no call could use, or another spelling of one that calls use, must not become a mapping.
import { isDeepStrictEqual } from 'node:util';
import { validateArguments } from '../../drivers/arguments.ts';
import type { BackendObject, Driver, JsonObject } from '../../drivers/driver.ts';
import { desiredOf } from '../model/secret-arguments.ts';

/** Stands in for the device's own id if that is not given, because it does not determine the name: a number, a UUID, or a hash. */
const anyUuids = ['1', '00000000-0000-4000-8000-000000000000', 'AAAAAAAAAAAAAAAAAAAAAA'];

/**
 * The fault of the name, or of the device's own id. Undefined if there is none, or if the driver has no such objects. The operation
 * that deletes the object must accept both, and identify exactly that object by them.
 */
export function nameFault(
  driver: Driver,
  object: BackendObject & { readonly uuid: string | null },
): string | undefined {
  const { resource, scope, key } = object;
  const reader = driver.resources?.get(resource);
  if (reader === undefined) return undefined;
  const { remove, names } = reader;
  if (remove === undefined) {
    if (scope !== '') return 'its scope is empty';
    return names?.test(key) === true ? undefined : `it has to match ${names?.source ?? 'nothing'}`;
  }
  // A deletion may compare settings, which are not known before the object is read.
  const recorded = exampleOf(driver, resource);
  const named = (object.uuid === null ? anyUuids : [object.uuid]).map((uuid) => ({ scope, key, uuid }));
  let fault: string | undefined;
  for (const each of [...named, ...(recorded === undefined ? [] : named.map((one) => ({ ...one, recorded })))]) {
    const call = remove(each);
    const operation = driver.operations.get(call?.operation ?? '');
    if (call === undefined || operation === undefined) continue;
    const checked = validateArguments(operation, call.arguments);
    if (!checked.ok) {
      const [first] = checked.faults;
      fault ??= `${first?.path.join('.')} ${first?.message}`;
      continue;
    }
    const meant = operation.object?.(checked.args);
    if (isDeepStrictEqual(meant, { resource, scope, key })) return undefined;
    fault ??= `it is called ${JSON.stringify(meant?.key)} in ${JSON.stringify(meant?.scope)}`;
  }
  return fault ?? 'its scope, key or uuid lacks a part';
}

/** The settings of an object of this kind. They don't determine its name. */
function exampleOf(driver: Driver, resource: string): JsonObject | undefined {
  for (const operation of driver.operations.values()) {
    if (operation.mapping !== 'creates' || operation.object?.(operation.example).resource !== resource) continue;
    const checked = validateArguments(operation, operation.example);
    if (checked.ok) return desiredOf(operation, checked.args) ?? undefined;
  }
  return undefined;
}
