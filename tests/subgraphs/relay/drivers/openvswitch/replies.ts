import type { JsonValue } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { exec, type ReplyRows, rpc, type Verdict } from '../../support/replies.ts';

const failed = (error: string, details: string): JsonValue => [{}, { error, details }];
const refused = (result: JsonValue) => exec(JSON.stringify(result));
const cut = { stderr: 'Connection closed', exitCode: 255 };
const missing = 'sh: 1: ovsdb-client: not found';
const down = 'ovsdb-client: failed to connect to "unix:/run/openvswitch/db.sock" (Connection refused)';
const error = { error: 'constraint violation', details: 'x'.repeat(10_000) };
const refusal = {
  ...({ state: 'FAILED', code: 'DEVICE_REFUSED' } as const),
  message: `constraint violation: ${'x'.repeat(4_074)}`,
};

/** Each is a success, but of a different request. */
const another: readonly (readonly [string, JsonValue])[] = [
  ['too few results', [{}, { count: 1 }, { rows: [{ next_cfg: 1 }] }, {}, {}]],
  ['nothing was changed', [{}, {}, {}, {}, {}, {}, { count: 0 }, { count: 1 }, { rows: [{ next_cfg: 1 }] }, {}, {}]],
];

export const replies: ReplyRows = {
  unreadable: [
    ['nothing', rpc()],
    ['an empty list', rpc({ result: [] })],
    ['something else', rpc({ result: 'yes' })],
    ['a list without results', rpc({ result: [1, 'two'] })],
    ['a list with a gap', rpc({ result: [{}, null] })],
    ['an invalid error', rpc({ error: 'no' })],
    ['a truncated reply', rpc({ truncated: true, result: [{}] })],
    ['a failure to write to disk', rpc({ result: failed('I/O error', 'disk full') })],
    ['a failure in a cluster', rpc({ result: failed('cluster error', 'lost leadership') })],
    ['no output', exec('')],
    ['no JSON', exec('Welcome to switch 7\n')],
    ['incomplete JSON', exec('[{"count":1},{"co')],
    ['truncated output', exec('[{', { exitCode: null, truncated: true })],
    ['a signal', exec('', { exitCode: null })],
    ['another exit status', exec('', cut)],
    ['a refusal without a message', exec('', { exitCode: 1 })],
  ],
  changes: [
    ...another.flatMap(([what, result]): Verdict[] => [
      [what, rpc({ result }), 'UNKNOWN'],
      [`${what}, by the program`, refused(result), 'UNKNOWN'],
    ]),
    ['an error in the list', rpc({ result: [{}, error, null] }), refusal],
    ['an error in the list of the program', refused([{}, error, null]), refusal],
    ['an error of the request', rpc({ error }), refusal],
    ['a device without the program', exec('', { exitCode: 127, stderr: missing }), 'FAILED COMMAND_NOT_FOUND'],
    [
      ...(['a device without the database', exec('', { exitCode: 1, stderr: down })] as const),
      { state: 'FAILED', code: 'DEVICE_REFUSED', message: down },
    ],
  ],
  looks: [['a yes without rows', rpc({ result: [{}, {}, {}] }), 'UNREADABLE']],
};
