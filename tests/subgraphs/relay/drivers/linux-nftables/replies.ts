import { expect } from '@jest/globals';
import type { JsonValue } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { exec, type ReplyRows } from '../../support/replies.ts';

/** libnftables-json(5): the forms of a set's type; the objects are those of nft 1.1.4 and later. */
const setTypes: readonly (readonly [type: JsonValue, ipVersion: number | null])[] = [
  ['ipv4_addr', 4],
  ['ipv6_addr', 6],
  [{ typeof: { payload: { protocol: 'ip', field: 'daddr' } } }, 4],
  [{ typeof: { payload: { protocol: 'ip6', field: 'saddr' } } }, 6],
  [{ typeof: { payload: { protocol: 'tcp', field: 'dport' } } }, null],
  [{ typeof: { payload: { protocol: 'ip', field: 'protocol' } } }, null],
  [['ipv4_addr', 'inet_service'], null],
  ['inet_service', null],
];
const set = { family: 'inet', table: 'filter', name: 's', handle: 3, flags: 'interval' };
const listed = (type: JsonValue) =>
  exec(JSON.stringify({ nftables: [{ metainfo: { version: '1.1.5' } }, { set: { ...set, type } }] }));
const missing = 'sh: 1: nft: not found';

export const replies: ReplyRows = {
  unreadable: [
    ['nothing', exec('')],
    ['no JSON', exec('Welcome to router 7\n')],
    ['incomplete JSON', exec('{"nftables": [{"add": {"rule": {"fam')],
    ['JSON of another kind', exec('[1, null, "x"]')],
    ['an empty list', exec('{"nftables": []}')],
    ['a list without objects', exec('{"nftables": [null]}')],
    ['an echo of something else', exec('{"nftables": [{"add": {"counter": {"name": "x"}}}]}')],
    ['a truncated reply', exec('{"nftables": [', { exitCode: null, truncated: true })],
    ['a signal', exec('', { exitCode: null })],
    ['another exit status', exec('', { exitCode: 255, stderr: 'Error: something' })],
    ['a refusal without a message', exec('', { exitCode: 1 })],
    ['no room for the echo', exec('', { exitCode: 1, stderr: 'netlink: Error: No buffer space available' })],
  ],
  readable: ['an echo of something else'],
  dryRuns: [
    ['a refusal', exec('', { exitCode: 1, stderr: 'Error: no' })],
    ['a signal', exec('', { exitCode: null })],
    ['a truncated reply', exec('', { truncated: true })],
  ],
  changes: [
    [
      ...(['long words', exec('', { exitCode: 1, stderr: `internal:0:0-0: Error: ${'x'.repeat(10_000)}\n` })] as const),
      { state: 'FAILED', code: 'DEVICE_REFUSED', message: `Error: ${'x'.repeat(4_089)}` },
    ],
    [
      ...(['a device without nft', exec('', { exitCode: 127, stderr: missing })] as const),
      { state: 'FAILED', code: 'COMMAND_NOT_FOUND', message: missing },
    ],
  ],
  objects: {
    'address-set': setTypes.map(([type, ipVersion]) => [
      ...([`a set of ${JSON.stringify(type)}`, listed(type)] as const),
      { finding: 'PRESENT', uuid: '3', values: expect.objectContaining({ ipVersion, blocks: true }) as never },
      's',
    ]),
  },
};
