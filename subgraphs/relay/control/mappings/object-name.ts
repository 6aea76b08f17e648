// Checks that an object's name is the one that the driver itself would use. An adopted object's name comes from outside: a name
// that no call could use, or another spelling of one that calls use, must not become a mapping.
import { isDeepStrictEqual } from 'node:util';
import { validateArguments } from '../../drivers/arguments.ts';
import type { BackendObject, Driver } from '../../drivers/driver.ts';

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
  let fault: string | undefined;
  for (const uuid of object.uuid === null ? anyUuids : [object.uuid]) {
    const call = remove({ scope, key, uuid });
    const operation = driver.operations.get(call?.operation ?? '');
    if (call === undefined || operation === undefined) continue;
    const checked = validateArguments(operation, call.arguments);
    if (!checked.ok) {
      const [first] = checked.faults;
      fault ??= `${first?.path.join('.')} ${first?.message}`;
      continue;
    }
    const named = operation.object?.(checked.args);
    if (isDeepStrictEqual(named, { resource, scope, key })) return undefined;
    fault ??= `it is called ${JSON.stringify(named?.key)} in ${JSON.stringify(named?.scope)}`;
  }
  return fault ?? 'its scope, key or uuid lacks a part';
}
