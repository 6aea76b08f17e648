// Virtual domains: the tenants' own firewalls in one device. FortiOS CLI reference, config vdom; over REST the table system/vdom.

import type { HttpReply, JsonObject, ResourceReader } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import {
  entriesIn,
  get,
  keyIn,
  notFound,
  type Place,
  post,
  type RestOperation,
  readAnswer,
  readOutcome,
  remove,
  writeOutcome,
} from './rest.ts';
import { page, vdomName } from './schema.ts';

/** Belongs to the device as a whole; the requests still name a domain. */
const table: Place & { readonly key?: never } = { table: 'system/vdom', vdom: 'root' };
const scope = 'device';

const object = (args: JsonObject) => ({ resource: 'vdom', scope, key: String(args.name) });
const named = argumentsSchema({ name: vdomName }, ['name']);

export const vdomList: RestOperation = {
  name: 'vdom.list',
  summary: 'Lists the virtual domains.',
  category: 'INIT',
  effect: 'READ',
  argumentsSchema: argumentsSchema(page),
  example: {},
  render: ({ start, count }) => get(table, { format: 'name', start: Number(start), count: Number(count) }),
  interpret: (reply) =>
    readOutcome(reply, table, (entries) => ({
      result: { vdoms: entries.map(({ name }) => ({ name: name ?? null })) },
    })),
};

export const vdomCreate: RestOperation = {
  name: 'vdom.create',
  summary: 'Creates a virtual domain.',
  category: 'INIT',
  // It has no mark: whether this call made the one with that name is not visible.
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: named,
  example: { name: 'tenant42' },
  object,
  mapping: 'creates',
  render: ({ name }) => post(table, { name }),
  interpret: (reply, { name }) =>
    writeOutcome(reply, table, (answer) =>
      keyIn(answer) === name ? { state: 'SUCCEEDED', result: { name } } : undefined,
    ),
};

export const vdomDelete: RestOperation = {
  name: 'vdom.delete',
  summary: 'Deletes a virtual domain with its contents. The device refuses while an interface belongs to it.',
  category: 'INIT',
  effect: 'IDEMPOTENT',
  argumentsSchema: named,
  example: { name: 'tenant42' },
  refine: ({ name }) => (name === 'root' ? [{ path: ['name'], message: "root can't be deleted" }] : []),
  object,
  mapping: 'deletes',
  render: ({ name }) => remove({ ...table, key: String(name) }),
  interpret: (reply, { name }) => {
    const answer = readAnswer(reply, table);
    if (answer.kind === 'refused' && answer.missing) return { ...notFound('vdom', String(name)), absent: true };
    return writeOutcome(reply, table, (done) =>
      keyIn(done) === name ? { state: 'SUCCEEDED', result: { name } } : undefined,
    );
  },
};

export const vdomReader: ResourceReader<HttpReply> = {
  lists: {},
  own: [],
  render: ({ key }) => get(table, { filter: `name==${key}`, format: 'name' }),
  interpret(reply, { key }) {
    const answer = readAnswer(reply, table);
    if (answer.kind !== 'done') return { finding: 'UNREADABLE', message: answer.message };
    const entries = entriesIn(answer.object);
    if (!entries?.every(({ name }) => String(name).toLowerCase() === key.toLowerCase())) {
      return { finding: 'UNREADABLE', message: "The device's answer does not fit the request." };
    }
    return entries.some(({ name }) => name === key)
      ? { finding: 'PRESENT', values: { name: key } }
      : { finding: 'ABSENT' };
  },
  remove: ({ key }) => ({ operation: 'vdom.delete', arguments: { name: key } }),
};
