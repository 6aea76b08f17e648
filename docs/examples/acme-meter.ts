// The worked example of docs/relay.md: a whole driver in one file, for a device that does not exist.
import { defineDriver } from '../../subgraphs/relay/drivers/define-driver.ts';
import type { HttpReply, OperationSpec, ResourceReader } from '../../subgraphs/relay/drivers/driver.ts';
import { argumentsSchema } from '../../subgraphs/relay/drivers/json.ts';
import { readMark, writeMark } from '../../subgraphs/relay/drivers/mark.ts';

type Limit = { name: string; watts: number };

const path = (name: string) => `/api/limits/${encodeURIComponent(name)}`;

/** Acme Load Meter REST API, guide 2.1, section 4: PUT makes or replaces a limit and answers 200 with it. */
const limitSet: OperationSpec<Limit, HttpReply> = {
  name: 'limit.set',
  summary: 'Sets a limit.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      name: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,63}$' },
      watts: { type: 'integer', minimum: 0, maximum: 100_000 },
    },
    ['name', 'watts'],
  ),
  example: { name: 'rack-7', watts: 4_000 },
  object: ({ name }) => ({ resource: 'limit', scope: '', key: name }),
  mapping: 'creates',
  render: ({ name, watts }, { operationId }) => ({
    kind: 'http',
    method: 'PUT',
    path: path(name),
    body: { watts, note: writeMark({ operationId, words: '' }) },
  }),
  interpret(reply) {
    if (reply.status === 200 && !reply.truncated) return { state: 'SUCCEEDED', result: null };
    // Section 4.3: 422 names the fault and changes nothing. Anything else says nothing for certain.
    if (reply.status === 422) return { state: 'FAILED', code: 'DEVICE_REFUSED', message: reply.body.slice(0, 4096) };
    return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: `The meter answered ${reply.status}.` };
  },
};

/** How to look at a limit: verification, adoption and settling an unknown call come with it. */
const limit: ResourceReader<HttpReply> = {
  lists: {},
  own: [],
  render: ({ key }) => ({ kind: 'http', method: 'GET', path: path(key) }),
  interpret(reply, { key }) {
    if (reply.status === 404) return { finding: 'ABSENT' };
    try {
      const { watts, note } = JSON.parse(reply.body) as { watts: number; note: string };
      const mark = readMark(note);
      const made = mark === undefined ? {} : { operationId: mark.operationId };
      return { finding: 'PRESENT', ...made, values: { name: key, watts } };
    } catch {
      return { finding: 'UNREADABLE', message: `The meter answered ${reply.status} without JSON.` };
    }
  },
};

export const acmeMeter = defineDriver({
  name: 'acme-meter',
  family: 'SWITCH',
  summary: 'Acme Load Meter 2.x, over REST.',
  versions: 'Load Meter 2.1 and later',
  triedAgainst: 'nothing: it does not exist',
  ports: { https: 443 },
  credentialFields: ['username', 'password'],
  operations: [limitSet],
  resources: { limit },
  // A PUT replaces whatever has the name. A real driver would compare the mark in the same request.
  ownership: { limit: { by: 'KEY_ALONE' } },
  health: {
    render: () => ({ kind: 'http', method: 'GET', path: '/api/version' }),
    interpret: (reply) =>
      reply.kind === 'http' && reply.status === 200 ? { softwareVersion: reply.body.trim(), serial: null } : undefined,
  },
  https: {
    open: async (_exchange, { username, password }) => ({
      ok: true,
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    }),
    refusedSession: () => false,
  },
  typed: {},
});
