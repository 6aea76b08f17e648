// The documents of a cluster as its processes follow them.
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { DocumentFollower } from '../../../../../subgraphs/object-storage/engine/federation/document-follower.ts';

const revoked = {
  accessKeyId: 'TG00000000000000000A',
  accountId: 'a'.repeat(32),
  canWrite: true,
  sealed: {},
  isRevoked: true,
};

test('an unreadable document does not delay revocations after it', async () => {
  const documents = [
    { kind: 'later', key: '', body: '{}' },
    { kind: 'ring', key: '1', body: '{"ring":1}' },
    { kind: 'ring', key: '2', body: 'no JSON' },
    { kind: 'key', key: revoked.accessKeyId, body: JSON.stringify(revoked) },
  ].map((each, at) => ({ ...each, generation: at + 1, arrival: at + 1, signature: 'k/s' }));
  const taken: string[] = [];
  const lines: string[] = [];
  const follower = new DocumentFollower({
    store: { since: async (arrival) => documents.filter((each) => each.arrival > arrival) },
    log: pino({}, { write: (line: string) => void lines.push(line) }),
    take: ({ name }) => void taken.push(name),
  });
  await follower.start();
  await follower.stop();
  expect(taken).toEqual([`key/${revoked.accessKeyId}`]);
  expect(lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual(['later', 'ring', 'ring']);
});
