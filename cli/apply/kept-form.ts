// Normalises values that a file may write differently from the server: null is the default, a set has no order, a name in DNS has no capital letters.
// Otherwise they would always differ. Pure.
import { registry } from '../../generated/kinds/registry.ts';
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import type { InputField } from '../../schema/kinds/kind.ts';

/** Fields for which null differs from the default. Without one, an alert is sent once, and a quota is the installation's. */
const withNull: ReadonlySet<string> = new Set(['AlertRule.repeatMs', 'LoadBalancerQuota.limit']);
/** The server chooses a value for a new object, and keeps an existing one. Null equals an omitted field. */
const chosenByServer: ReadonlySet<string> = new Set([
  ...['AlertRule.lastsMs', 'AlertRule.withinMs', 'Gslb.flavorId', 'Gslb.poolIds', 'Gslb.projectId'],
  ...['GslbMonitor.projectId', 'GslbPool.projectId', 'LoadBalancerHost.provider', 'LoadBalancerHost.maxNodes'],
  ...['ObjectCluster.zone', 'ObjectContainer.optionId', 'ObjectContainer.projectId'],
]);

export function hasOwnNull(type: string, field: string): boolean {
  return withNull.has(`${type}.${field}`);
}

export function isChosenByServer(type: string, field: string): boolean {
  return chosenByServer.has(`${type}.${field}`);
}

/** Replaces null by the default, if there is one. Leaves null out if the server chooses the value. `fields`: the input's. */
export function withDefaults(type: string, input: string, fields: JsonObject): JsonObject {
  const given = Object.entries(fields).filter(([name, value]) => value !== null || !isChosenByServer(type, name));
  const own = given.filter(([name, value]) => value === null && hasOwnNull(type, name));
  const filled = { ...membersFilled(input, Object.fromEntries(given)), ...Object.fromEntries(own) };
  return type === 'GslbMonitor' && fields.parameters === null ? withParameters(filled) : filled;
}

/** Replaces null by the parameters that a check of this type has by default, if it has any. */
function withParameters(fields: JsonObject): JsonObject {
  const ofType = String(fields.checkType).replaceAll('_', '').toLowerCase();
  const field = registry.inputs.GslbMonitorParametersInput?.fields.find(({ name }) => name.toLowerCase() === ofType);
  const known = registry.inputs[field?.type ?? '']?.fields;
  if (field === undefined || known === undefined || known.some(({ required }) => required === true)) return fields;
  return { ...fields, parameters: { [field.name]: membersFilled(field.type, nullsOf(known)) } };
}

function nullsOf(fields: readonly InputField[]): JsonObject {
  return Object.fromEntries(fields.map(({ name }) => [name, null]));
}

function membersFilled(input: string, value: JsonObject): JsonObject {
  const known = registry.inputs[input]?.fields ?? [];
  const members = Object.entries(value).map(([name, member]) => {
    const field = known.find((each) => each.name === name);
    return [name, field === undefined ? member : filled(field, member ?? null)];
  });
  return Object.fromEntries(members);
}

function filled(field: InputField, value: JsonValue): JsonValue {
  if (value === null) return (field.default ?? null) as JsonValue;
  if (registry.inputs[field.type] === undefined) return value;
  if (Array.isArray(value))
    return value.map((each: JsonValue) => (isObject(each) ? membersFilled(field.type, each) : each));
  return isObject(value) ? membersFilled(field.type, value) : value;
}

const forms: Readonly<Record<string, (value: JsonValue) => JsonValue>> = {
  'AlertRule.channelIds': asSet,
  'Gslb.sharedWithProjectIds': asSet,
  'ObjectOption.clusterIds': asSet,
  'Gslb.fallbackCname': inDns,
  'GslbPoolMember.cname': inDns,
  'ObjectCluster.peerUrls': asOrigins,
  'ObjectCluster.controllerUrls': asOrigins,
  'ObjectCluster.s3Urls': asOrigins,
};

/** For comparisons only. */
export function keptForm(type: string, field: string, value: JsonValue): JsonValue {
  return forms[`${type}.${field}`]?.(value) ?? value;
}

function asSet(value: JsonValue): JsonValue {
  if (!Array.isArray(value)) return value;
  const items = new Map(value.map((each: JsonValue) => [canonicalJson(each), each]));
  return [...items].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, each]) => each);
}

function inDns(value: JsonValue): JsonValue {
  return typeof value === 'string' ? value.toLowerCase().replace(/\.$/, '') : value;
}

function asOrigins(value: JsonValue): JsonValue {
  const originOf = (url: JsonValue) => (typeof url === 'string' ? (URL.parse(url)?.origin ?? url) : url);
  return Array.isArray(value) ? value.map(originOf) : value;
}
