// The rights to have a call probed and to settle it. Operators may do both, and members may have their own calls
// probed.
import { expect, test } from '@jest/globals';
import type { Identity } from '../../../../../platform/caller/identity.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { NftDevice } from '../../support/nft-device.ts';
import { call, identity, projectA, settle } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

let id: string;

const member = identity('MEMBER', projectA, 'ann');
/** A token of the same user. */
const token: Identity = { ...identity('MEMBER', projectA, 'cmp'), kind: 'token', ownerId: member.id };
const others: Readonly<Record<string, Identity>> = {
  'a member of the same name': identity('MEMBER', projectA, 'ann'),
  "another user's token": { ...identity('MEMBER', projectA, 'cmp'), kind: 'token', ownerId: newUuid() },
  'the same user as a viewer': { ...member, projects: { [projectA]: 'VIEWER' } },
};

const { node, device } = await startRelay({ device: () => NftDevice.start(), backend: 'fw' });
device.hold();
const input = { backend: { name: 'fw' }, operation: 'setElement.add', idempotencyKey: 'k', deadlineMs: 300 };
const made = await call(node, 'relayCall', { ...input, arguments: { set: 'blocked', address: '10.0.0.2' } }, member);
device.release();
expect(made.operation?.state).toBe('UNKNOWN');
id = made.operation?.id ?? '';

const codes = async (input: Record<string, unknown>, who: Identity) =>
  (await settle(node, { id, ...input }, who)).userErrors.map(({ code, message }) => `${code}: ${message}`);

test.each([
  ['the member who made it', member],
  ['a token of the same user', token],
])('%s may have it probed, which is audited', async (_who, who) => {
  const audited =
    "SELECT COUNT(*) AS n FROM audit_entry WHERE action = 'relayOperationSettle' AND outcome = 'ACCEPTED'";
  const [before] = await node.db.query<{ n: number }>(audited);
  expect(await codes({}, who)).toEqual([]);
  const [after] = await node.db.query<{ n: number }>(audited);
  expect(after?.n).toBe((before?.n ?? 0) + 1);
});

test.each([
  ['a verdict', { verdict: 'SUCCEEDED', note: 'seen' }, 'a verdict requires the role OPERATOR in this project'],
  ['force', { force: true }, 'force requires the role OPERATOR in this project'],
])('%s may not be used by the member who made the call', async (_what, input, message) => {
  expect(await codes(input, member)).toEqual([`FORBIDDEN: ${message}`]);
  expect(await codes(input, token)).toEqual([`FORBIDDEN: ${message}`]);
});

test.each(Object.keys(others))('%s may not have it probed', async (name) => {
  expect(await codes({}, others[name] ?? member)).toEqual([expect.stringMatching(/^FORBIDDEN: /)]);
});

test('a call of an earlier version has no owner', async () => {
  await node.db.execute('UPDATE operation SET requester_id = NULL');
  expect(await codes({}, member)).toEqual([expect.stringMatching(/^FORBIDDEN: settling another caller's operation/)]);
  expect(await codes({}, identity('OPERATOR'))).toEqual([]);
});
