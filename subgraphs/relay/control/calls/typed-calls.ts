// The graph's relaying mutations as call requests: the typed ones of each family, `relayCall` for all other operations, and the
// deletion of mapped objects.
import type { MappingObjectDeleteInput, RelayCallInput } from '../../../../generated/graph/relay.ts';
import { invariant, refuse } from '../../../../platform/errors/errors.ts';
import { objectSchema } from '../../../../platform/graph/fields.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { validateObject } from '../../../../platform/input/json-schema.ts';
import type { ArgumentFault, JsonObject, JsonValue, TypedCall } from '../../drivers/driver.ts';
import type { TypedMutation } from '../../spec/typed-mutation.ts';
import { checkSelector } from '../backends/selector.ts';
import type { Difference } from '../mappings/differences.ts';
import { type MappingRow, mappedObjectOf } from '../mappings/mapping.ts';
import { type CallInput, type CallRequest, notSupported, type PlannedCall } from './call-request.ts';

/** For a mutation that selects its backend. */
export type SelectedInput = CallInput & Pick<RelayCallInput, 'backend'>;

const longestOperationName = 64;

export function relayCall(input: RelayCallInput): CallRequest {
  return selected('relayCall', input, false, {
    check: (check) => check.text('operation', input.operation, { required: true, min: 1, max: longestOperationName }),
    plan: () => ({
      operation: input.operation,
      arguments: input.arguments,
      fieldOf: (path) => ['input', 'arguments', ...path],
      faultCode: 'INVALID_ARGUMENTS',
    }),
  });
}

/** A typed mutation; `input` has the mutation's own fields beside the common ones. */
export function typedCall(mutation: TypedMutation): (input: SelectedInput) => CallRequest {
  const schema = objectSchema(mutation.fields);
  return (input) => {
    const own = ownFields(mutation, input as SelectedInput & JsonObject);
    return selected(mutation.name, input, true, {
      check(check) {
        const checked = validateObject(schema, own);
        const faults = checked.ok ? (mutation.refine?.(own) ?? []) : checked.faults;
        for (const fault of faults) addFault(check, mutation, own, fault);
      },
      plan(driver) {
        const call = driver.typed[mutation.name]?.(own);
        if (call === undefined) notSupported(driver, `${mutation.name} with these fields`);
        return asPlan(call, ([first, ...rest]) =>
          first === undefined ? ['input'] : ['input', ...(call.fields?.[first] ?? first).split('.'), ...rest],
        );
      },
    });
  };
}

/** Objects that the relay made or adopted are deleted through their mapping, so that the device's own id is used. */
export function mappingObjectDelete(input: MappingObjectDeleteInput): CallRequest {
  return {
    action: 'mappingObjectDelete',
    input,
    keyRequired: true,
    backendSelection: { by: 'mapping', mappingId: input.mappingId },
    check: () => undefined,
    plan(driver, mapping) {
      invariant(mapping !== null, 'the mapping was read with the target');
      const { state, resource } = mapping;
      const field = ['input', 'mappingId'];
      if (state === 'DELETED' || state === 'ORPHAN')
        refuse('WRONG_STATE', `the mapping is ${state}: there is nothing to delete`, { field });
      const remove = driver.resources?.get(resource)?.remove;
      if (remove === undefined) notSupported(driver, `the deletion of a ${resource} by its mapping`);
      if (input.force !== true) refuseUnverified(mapping);
      const call = remove(mappedObjectOf(mapping));
      if (call === undefined)
        refuse(
          'WRONG_STATE',
          `the mapping lacks what identifies the ${resource} on the device: settle the call that created it, verify the mapping, or forget it and adopt the object again`,
          {
            field,
          },
        );
      return asPlan(call, () => field);
    },
  };
}

/** If the last verification did not find the object, or found another one, it is deleted only by force. */
function refuseUnverified({ verifyResult, verifyDiff, objectKey, uuid }: MappingRow): void {
  if (verifyResult === null || verifyResult === 'MATCHES') return;
  const all = JSON.parse(verifyDiff ?? '[]') as readonly Difference[];
  const isKey = ({ path, wanted }: Difference) =>
    path === 'uuid' || path === 'name' || wanted === objectKey || (uuid !== null && String(wanted) === uuid);
  const inKey = all.filter(isKey).map(({ path }) => path);
  if (verifyResult === 'DRIFTED' && inKey.length === 0) return;
  const found =
    verifyResult === 'MISSING' ? 'found no such object' : `found another object in its place (${inKey.join(', ')})`;
  refuse('VERIFY_FIRST', `the last verification ${found}: verify the mapping again, or set force`, {
    field: ['input', 'mappingId'],
  });
}

function selected(
  action: string,
  input: SelectedInput,
  keyRequired: boolean,
  request: Pick<CallRequest, 'check' | 'plan'>,
): CallRequest {
  return {
    action,
    input,
    keyRequired,
    backendSelection: { by: 'selector', selector: input.backend },
    check(check) {
      checkSelector(check, input.backend, input.cmpObject);
      request.check(check);
    },
    plan: request.plan,
  };
}

function asPlan(call: TypedCall, fieldOf: PlannedCall['fieldOf']): PlannedCall {
  return { ...call, fieldOf, faultCode: 'INVALID_INPUT' };
}

/** The mutation's own fields that were given; Null counts as omitted. */
function ownFields(mutation: TypedMutation, input: JsonObject): JsonObject {
  const own = Object.keys(mutation.fields).map((name) => [name, withoutNulls(input[name] ?? null)] as const);
  return Object.fromEntries(own.filter(([, value]) => value !== null));
}

function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member as JsonValue)]));
}

function addFault(check: InputCheck, { fields }: TypedMutation, own: JsonObject, fault: ArgumentFault): void {
  const field = fault.path.join('.');
  let value: JsonValue | undefined = own;
  for (const name of fault.path) value = (value as JsonObject | undefined)?.[name];
  const isSecret = fields[fault.path[0] ?? '']?.schema.writeOnly === true;
  const shown = isSecret ? undefined : JSON.stringify(value)?.slice(0, 80);
  const said =
    fault.message.startsWith('must') && shown !== undefined
      ? `${field} is ${shown}; it ${fault.message}`
      : `${field}: ${fault.message}`;
  check.fault(field, said, fault.tooLong === true ? 'TOO_LONG' : 'INVALID_INPUT');
}
