// What null means in the input of an update: a field that is left out keeps its value, null clears a field that may be null in the object, and any
// other null is refused. Here the graph itself says which is which.
import {
  type GraphQLInputObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isInputObjectType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** They belong to the call, not to the object. Null is as if they were left out. */
const ofTheCall: ReadonlySet<string> = new Set(['expectedVersion', 'idempotencyKey', 'currentPassword']);
/** Where the object shows a setting by another name. */
const shownAs: Readonly<Record<string, string>> = { 'GslbPoolMember.loadBalancerId': 'followedLoadBalancer' };
/** Secrets, which no object shows, that null deletes. */
const deleted: ReadonlySet<string> = new Set(['GslbMonitor.auth']);
/** Parts of an input in which a field that is left out keeps its value as well. */
const merged: ReadonlySet<string> = new Set(['BackendLimitsInput', 'LoadBalancerNodeSizeInput']);

/** By mutation: paths, with dots, of the fields that can't be null. */
export function neverNull(schema: GraphQLSchema): Readonly<Record<string, readonly string[]>> {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
  return Object.fromEntries(
    mutations.flatMap(({ name, args }) => {
      const input = args.find((argument) => argument.name === 'input');
      const type = input === undefined ? undefined : schema.getType(String(input.type).replaceAll('!', ''));
      if (!isInputObjectType(type) || !isUpdate(type)) return [];
      return [[name, fieldsNeverNull(schema, type)]];
    }),
  );
}

/** A call to a device has no id: it is sent as it is, and is no change of an object of ours. */
function isUpdate(input: GraphQLInputObjectType): boolean {
  return input.name.endsWith('UpdateInput') && 'id' in input.getFields();
}

function fieldsNeverNull(schema: GraphQLSchema, input: GraphQLInputObjectType): readonly string[] {
  const object = schema.getType(input.name.replace(/UpdateInput$/, ''));
  if (!isObjectType(object)) throw new Error(`${input.name} is the update of no type`);
  return Object.values(input.getFields()).flatMap(({ name, type }) => {
    if (isNonNullType(type) || ofTheCall.has(name)) return [];
    const part = schema.getType(String(type));
    const members = isInputObjectType(part) && merged.has(part.name) ? Object.keys(part.getFields()) : [];
    return [...(mayBeNull(object, name) ? [] : [name]), ...members.map((member) => `${name}.${member}`)];
  });
}

function mayBeNull(object: GraphQLObjectType, name: string): boolean {
  if (deleted.has(`${object.name}.${name}`)) return true;
  const fields = object.getFields();
  const names = [shownAs[`${object.name}.${name}`], name, name.replace(/Id$/, ''), name.replace(/Ids$/, 's')];
  const field = names.map((each) => fields[each ?? '']).find((each) => each !== undefined);
  return field !== undefined && !isNonNullType(field.type);
}
