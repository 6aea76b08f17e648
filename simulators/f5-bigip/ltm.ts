// The calls on LTM objects: list, create, read, change (PATCH: named properties; PUT: all), delete. iControl REST User Guide
// 13.1, chapters REST operations and Partial updates.

import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import type { Config, StoredObject } from './config.ts';
import { defaultsOf, type Kind, missing, selfLink, view } from './kinds/kind.ts';
import { monitors } from './kinds/monitors.ts';
import { node } from './kinds/nodes.ts';
import { memberKind, pool } from './kinds/pools.ts';
import { virtualServer } from './kinds/virtual-servers.ts';
import { checkName, fromSegment, type ObjectName, objectName, toSegment } from './names.ts';
import { type JsonObject, json, mcpRefusal, readBody } from './rest.ts';

const kinds: readonly Kind[] = [node, pool, virtualServer, ...monitors];
/** Properties that identify the object or are assigned by the device; a change may contain them, without effect. */
const identity = new Set(['name', 'partition', 'fullPath', 'kind', 'generation', 'selfLink']);

/** `segments` follow /mgmt/tm/, percent-decoded. Undefined if there is no such path. */
export function serveLtm(
  request: DeviceRequest,
  segments: readonly string[],
  config: Config,
): DeviceAnswer | undefined {
  const place = locate(segments, config);
  if (!place) return undefined;
  const { kind, segment } = place;
  const expanded = request.query.get('expandSubcollections') === 'true';
  if (segment === undefined) {
    if (request.method === 'GET') return list(kind, config, expanded, request.query);
    if (request.method === 'POST')
      return json(200, view(kind, create(kind, readBody(request.body), config), config, false));
    return undefined;
  }
  const { fullPath } = fromSegment(segment);
  const object = config.get(kind.collection, fullPath, kind.noun, kind.nameIn?.(fullPath));
  switch (request.method) {
    case 'GET':
      return json(200, view(kind, object, config, expanded));
    case 'PATCH':
    case 'PUT':
      change(kind, object, readBody(request.body), request.method === 'PUT', config);
      return json(200, view(kind, object, config, false));
    case 'DELETE':
      remove(kind, object, config);
      return { status: 200 };
    default:
      return undefined;
  }
}

/** The kind, and the segment that names one object of it; members are in their pool's own collection. */
function locate(segments: readonly string[], config: Config): { kind: Kind; segment?: string } | undefined {
  if (segments[0] === 'ltm' && segments[1] === 'pool' && segments[3] === 'members' && segments.length <= 5) {
    const { fullPath } = config.get(pool.collection, fromSegment(segments[2] ?? '').fullPath, pool.noun);
    const kind = memberKind(`ltm/pool/${toSegment(fullPath)}/members`);
    return segments[4] === undefined ? { kind } : { kind, segment: segments[4] };
  }
  for (const kind of kinds) {
    const length = kind.collection.split('/').length;
    if (segments.slice(0, length).join('/') !== kind.collection || segments.length > length + 1) continue;
    const segment = segments[length];
    return segment === undefined ? { kind } : { kind, segment };
  }
  return undefined;
}

/**
 * iControl REST User Guide 13.1, section Query parameters: `$filter` supports only the partition; `$select` leaves out all other
 * properties; `$top` and `$skip` make pages.
 */
function list(kind: Kind, config: Config, expanded: boolean, query: URLSearchParams): DeviceAnswer {
  const [, partition] = /^partition eq '?([\w.-]+)'?$/.exec(query.get('$filter') ?? '') ?? [];
  const objects = config
    .list(kind.collection)
    .filter((each) => partition === undefined || each.partition === partition);
  const skip = Number(query.get('$skip') ?? 0);
  const top = Number(query.get('$top') ?? objects.length);
  const fields = query.get('$select')?.split(',');
  const items = objects.slice(skip, skip + top).map((each) => {
    const shown = view(kind, each, config, expanded);
    return fields ? Object.fromEntries(Object.entries(shown).filter(([field]) => fields.includes(field))) : shown;
  });
  return json(200, {
    kind: `${kind.kind.replace(/:[^:]+$/, '')}:${kind.kind.split(':').at(-1)}collectionstate`,
    selfLink: selfLink(kind.collection),
    ...(query.has('$top') ? { currentItemCount: items.length, startIndex: skip + 1, totalItems: objects.length } : {}),
    ...(items.length > 0 ? { items } : {}),
  });
}

function create(kind: Kind, body: JsonObject, config: Config): StoredObject {
  const name = nameIn(body);
  if (!config.partitions.has(name.partition)) missing('folder', `/${name.partition}`);
  checkName(name, kind.addressLike ?? false);
  if (config.find(kind.collection, name.fullPath)) {
    throw mcpRefusal(
      409,
      `01020066:3: The requested ${kind.noun} (${kind.nameIn?.(name.fullPath) ?? name.fullPath}) already exists in partition ${name.partition}.`,
    );
  }
  const values = { ...defaultsOf(kind), ...written(kind, body) };
  return config.add(kind.collection, name, kind.store?.(values, name, config) ?? values);
}

function nameIn({ name, partition }: JsonObject): ObjectName {
  if (typeof name !== 'string' || name === '')
    throw mcpRefusal(400, 'one or more properties must be specified', 26_214_401);
  if (name.startsWith('/')) {
    const [, inName = '', ...rest] = name.split('/');
    return objectName(inName, rest.join('/'));
  }
  return objectName(typeof partition === 'string' ? partition : 'Common', name);
}

function change(kind: Kind, object: StoredObject, body: JsonObject, whole: boolean, config: Config): void {
  const changes = written(kind, body);
  for (const property of kind.fixed ?? []) {
    if (changes[property] !== undefined && changes[property] !== object.values[property]) {
      throw mcpRefusal(400, `01070734:3: Configuration error: ${property} of ${object.fullPath} cannot be modified.`);
    }
  }
  const kept = Object.fromEntries((kind.fixed ?? []).map((property) => [property, object.values[property]]));
  const before = whole ? { ...defaultsOf(kind), ...kept } : object.values;
  const values = { ...before, ...changes };
  config.change(object, kind.store?.(values, object, config) ?? values);
}

function remove(kind: Kind, object: StoredObject, config: Config): void {
  kind.checkUnused?.(object, config);
  config.remove(object);
  // Deleting a pool deletes its members; their nodes stay.
  for (const member of config.within(`${kind.collection}/${toSegment(object.fullPath)}/`)) config.remove(member);
}

/** The changes in a body; unknown properties are refused. Enabling and disabling are two properties that exclude each other. */
function written(kind: Kind, body: JsonObject): JsonObject {
  const given = Object.entries(body).filter(([property]) => !identity.has(property) && !property.endsWith('Reference'));
  for (const [property] of given) {
    if (!(property in kind.properties)) throw mcpRefusal(400, `"${property}" unknown property`, 26_214_401);
  }
  const changes = Object.fromEntries(given);
  if ('enabled' in kind.properties) {
    if (changes.disabled === true) return { ...changes, enabled: undefined };
    if (changes.enabled === true) return { ...changes, disabled: undefined };
  }
  return changes;
}
