// For each action of each kind, a draft in which every field has a value, and its deed.
import { callDeed, callInput } from '../../../dashboard/src/forms/calls.ts';
import { chosen, type Draft, type DraftObject, type Needed, readDraft } from '../../../dashboard/src/forms/draft.ts';
import type { Deed } from '../../../dashboard/src/forms/text/shown.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import { type Action, type InputField, type Kind, ownFields } from '../../../schema/kinds/kind.ts';

export const idOfSample = (type: string) => encodeId(type, '0b5d9a10-0000-4000-8000-000000000001');

const scalars: Readonly<Record<string, string>> = {
  ...{ Boolean: 'true', Port: '443', AsNumber: '64512', Float: '1.5', DateTime: '2027-01-01T00:00:00.000Z' },
  ...{ IpAddress: '192.0.2.1', CidrBlock: '192.0.2.0/24', IpOrCidr: '192.0.2.0/24', JSON: '{"a":{"b":[1,"x"]}}' },
};

/** `all`: also optional fields. `which`: the field of inputs that accept one of several. */
export function draftFor(
  input: string,
  { all, which = 0 }: { readonly all: boolean; readonly which?: number },
): DraftObject {
  const { oneOf, fields = [] } = registry.inputs[input] ?? {};
  if (oneOf === true) {
    const field = fields[which % fields.length] as InputField;
    return { [chosen]: field.name, [field.name]: draftOfField(field, { all, which }) };
  }
  const taken = fields.filter(({ name, required }) => !ownFields.has(name) && (all || required === true));
  return Object.fromEntries(taken.map((field) => [field.name, draftOfField(field, { all, which })]));
}

type How = Parameters<typeof draftFor>[1];

function draftOfField(field: InputField, how: How): Draft {
  const one = draftOfOne(field, how);
  return field.list === true ? [one] : one;
}

function draftOfOne({ type, name, refersTo, bounds, secret, file }: InputField, how: How): Draft {
  if (registry.inputs[type] !== undefined) return draftFor(type, how);
  const [word] = Object.keys(registry.enums[type] ?? {});
  if (word !== undefined) return word;
  if (refersTo !== undefined || type === 'ID') return idOfSample(refersTo ?? 'LoadBalancer');
  if (type === 'Int') return String(bounds?.most ?? 7);
  if (secret === true) return `the secret of ${name}`;
  if (file === true) return '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  return scalars[type] ?? `it's "${name}" $HOME \\ ü`;
}

export interface Case {
  readonly kind: Kind;
  readonly verb: string;
  readonly action: Action;
  readonly title: string;
}

export const cases: readonly Case[] = Object.values(registry.kinds).flatMap((kind) =>
  Object.entries(kind.actions).map(([verb, action]) => ({ kind, verb, action, title: action.mutation })),
);

/** A filled form of each call to a backend. */
export const calls = Object.values(registry.calls);

export function deedOfCall(action: Action, draft: DraftObject): Deed {
  const { input, faults } = readDraft(action.input, draft);
  return callDeed(action, {
    ...{ input: callInput(idOfSample('Backend'), input), missing: faults.map(({ path }) => path) },
    ...{ idempotencyKey: 'form-1', url: 'http://127.0.0.1:4000/graphql' },
  });
}

export function deedOf({ kind, verb, action }: Case, draft: DraftObject, needed: Needed = {}): Deed {
  const takesId = registry.inputs[action.input]?.fields.some(({ name }) => name === 'id') === true;
  const parent = kind.parent === undefined ? {} : { parentId: idOfSample(kind.parent.kind) };
  const { input, faults } = readDraft(action.input, draft, needed);
  return {
    ...{ kind, verb, action, input, missing: faults.map(({ path }) => path) },
    ...(takesId ? { object: { id: idOfSample(kind.type), version: 3, name: 'web', ...parent } } : {}),
    ...{ idempotencyKey: 'form-1', url: 'http://127.0.0.1:4000/graphql' },
  };
}
