// /api/v2/cmdb: configuration tables over REST. Sources: FortiOS REST API reference, terraform-provider-fortios issue 244
// (duplicate: HTTP 500 with -5), insightconnect-plugins pull 1027 (replies of 6.2.3), fortigate-api issue 20 (a key with a slash
// can't be addressed), fortiosapi (POST to a key: 404). A DELETE of a table without a key purges it.

import type { DeviceAnswer, DeviceRequest } from '../support/tls-server.ts';
import { type Device, refuseUnknownType, stamp } from './device.ts';
import { CmdbError } from './errors.ts';
import { json, readObject } from './rest-login.ts';
import type { Table } from './tables.ts';
import { type Entry, fromJson, memberKey, type Value } from './values.ts';

interface TableCall {
  readonly request: DeviceRequest;
  readonly vdom: string;
  readonly table: Table;
  readonly key: string | undefined;
}

export async function answerTable(
  device: Device,
  request: DeviceRequest,
  vdom: string,
): Promise<DeviceAnswer | undefined> {
  // Decoded before it is split, so that an encoded slash acts as a slash.
  const [path = '', name = '', key, ...more] = decode(request.path.slice('/api/v2/cmdb/'.length)).split('/');
  const table = device.tables.get(`${path}/${name}`);
  const common = { http_method: request.method, vdom, path, name, ...stamp(device) };
  if (`${path}/${name}` === 'system/global' && request.method === 'GET' && key === undefined) {
    await device.faults.delay();
    const results = { hostname: device.settings.get('system global', 'hostname') };
    return json(200, { ...common, results, status: 'success', http_status: 200 });
  }
  if (!table || more.length > 0 || (request.method === 'POST' && key !== undefined)) {
    return json(404, { ...common, status: 'error', http_status: 404 });
  }
  const isKnown = device.cmdb.vdoms.includes(vdom) && (device.multiVdom || vdom === 'root');
  if (!isKnown) return json(424, { ...common, status: 'error', http_status: 424 });
  const call: TableCall = { request, vdom, table, key };
  if (request.method === 'GET') {
    await device.faults.delay();
    return request.query.get('global') === '1' ? readAll(device, call) : reply(read(device, call));
  }
  return await device.faults.around<DeviceAnswer>({
    apply: () => write(device, call),
    fail: () => reply(failure(device, call, new CmdbError(device.failCode, 'internal error'))),
    drop: request.cut,
  });
}

type Body = Readonly<Record<string, unknown>> & { readonly http_status: number };

const reply = (body: Body): DeviceAnswer => json(body.http_status, body);

/** One reply for each virtual domain. */
function readAll(device: Device, call: TableCall): DeviceAnswer {
  return json(
    200,
    device.cmdb.vdoms.map((vdom) => read(device, { ...call, vdom })),
  );
}

function read(device: Device, call: TableCall): Body {
  const { vdom, table, key } = call;
  const rows = device.cmdb.list(vdom, table);
  const wanted =
    key === undefined ? rows.filter(([each, row]) => matches(call, each, row)) : rows.filter(([each]) => each === key);
  if (key !== undefined && wanted.length === 0) {
    return { ...envelope(device, call), mkey: key, status: 'error', http_status: 404 };
  }
  const start = Number(call.request.query.get('start') ?? 0);
  const count = Number(call.request.query.get('count') ?? wanted.length);
  return {
    ...envelope(device, call),
    ...(key === undefined ? {} : { mkey: key }),
    results: wanted.slice(start, start + count).map(([each, row]) => toJson(call, each, row)),
    status: 'success',
    http_status: 200,
  };
}

function write(device: Device, call: TableCall): DeviceAnswer {
  const { vdom, table, key, request } = call;
  const before = device.cmdb.revision(vdom, table);
  try {
    const made = change(device, call);
    return reply({
      ...envelope(device, call),
      old_revision: before,
      revision_changed: device.cmdb.revision(vdom, table) !== before,
      // Newer releases return numbers as numbers; clients meet both.
      ...(made === undefined
        ? {}
        : { mkey: table.keyKind === 'number' && device.features.cliError ? Number(made) : made }),
      status: 'success',
      http_status: 200,
    });
  } catch (error) {
    if (!(error instanceof CmdbError)) throw error;
    const isMissing = request.method !== 'POST' && key !== undefined && !device.cmdb.get(vdom, table, key);
    return reply(failure(device, call, error, isMissing ? 404 : 500));
  }
}

/** Makes the change and returns the entry's key. */
function change(device: Device, { request, vdom, table, key }: TableCall): string | undefined {
  const { cmdb } = device;
  if (request.method === 'POST') {
    const body = readObject(request.body);
    const given = body[table.key];
    return cmdb.create(
      vdom,
      table,
      given === undefined ? undefined : String(given),
      changesOf(device, table, body),
      'REST',
    );
  }
  if (request.method === 'DELETE') {
    if (key === undefined) cmdb.purge(vdom, table, 'REST');
    else cmdb.remove(vdom, table, key, 'REST');
    return key;
  }
  if (request.query.get('action') === 'move' && key !== undefined) {
    const [after, before] = [request.query.get('after'), request.query.get('before')];
    cmdb.move(vdom, table, key, after === null ? 'before' : 'after', after ?? before ?? '', 'REST');
    return key;
  }
  const body = readObject(request.body);
  cmdb.update(vdom, table, key ?? String(body[table.key] ?? ''), changesOf(device, table, body), 'REST');
  return key;
}

/** Unknown attributes are ignored. */
function changesOf(device: Device, table: Table, body: Readonly<Record<string, unknown>>): Entry {
  refuseUnknownType(device, table.path, body);
  const known = Object.entries(table.attributes).filter(([name]) => body[name] !== undefined);
  return Object.fromEntries(known.map(([name, attribute]) => [name, fromJson(name, attribute, body[name])]));
}

function failure(device: Device, call: TableCall, error: CmdbError, status = 500): Body {
  return {
    ...envelope(device, call),
    revision_changed: false,
    error: error.code,
    ...(device.features.cliError ? { cli_error: `${error.message}\nCommand fail. Return code ${error.code}\n` } : {}),
    status: 'error',
    http_status: status,
  };
}

function envelope(device: Device, { request, vdom, table }: TableCall): Readonly<Record<string, unknown>> {
  const [path, name] = table.path.split('/');
  const revision = device.cmdb.revision(vdom, table);
  return { http_method: request.method, revision, vdom, path, name, ...stamp(device) };
}

/** `filter=name==x` and `name=@x` (contains), ignoring case; a comma is "or", several filters are "and". */
function matches({ table, request }: TableCall, key: string, entry: Entry): boolean {
  const holds = (filter: string): boolean => {
    const [, name = '', operator, wanted = ''] = /^([\w-]+)(==|=@|!=)(.*)$/s.exec(filter.toLowerCase()) ?? [];
    const value = (name === table.key ? key : String(entry[name] ?? '')).toLowerCase();
    return operator === '==' ? value === wanted : operator === '!=' ? value !== wanted : value.includes(wanted);
  };
  return request.query.getAll('filter').every((filter) => filter.split(',').some(holds));
}

function toJson({ table, request }: TableCall, key: string, entry: Entry): Readonly<Record<string, unknown>> {
  const own = table.keyKind === 'number' ? Number(key) : key;
  const values = Object.entries(table.attributes).map(([name, attribute]) => {
    const value: Value = entry[name] ?? '';
    const member = memberKey(attribute);
    return [name, Array.isArray(value) ? value.map((each) => ({ [member]: each, q_origin_key: each })) : value];
  });
  const whole = { q_origin_key: own, [table.key]: own, ...Object.fromEntries(values), ...overlapping(table, entry) };
  const format = request.query.get('format')?.split('|');
  return format ? Object.fromEntries(Object.entries(whole).filter(([name]) => format.includes(name))) : whole;
}

/**
 * Start, end and subnet of an address share their storage, so that the attributes of other types show
 * meaningless values (6.2.0, 7.0).
 */
function overlapping(table: Table, entry: Entry): Entry {
  if (table.path !== 'firewall/address' || entry.type !== 'ipmask') return {};
  const [address = '', mask = ''] = String(entry.subnet).split(' ');
  return { 'start-ip': address, 'end-ip': mask };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}
