// A device with an endless reply. The relay reads it up to a bound, and the call still ends.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { type LongReplyDevice, startLongReplyDevice } from '../../support/long-reply-device.ts';
import { element } from '../../support/nft-device.ts';
import { call, identity, registerBackend } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const mostGrowthBytes = 64 * 1024 * 1024;

let device: LongReplyDevice;

const { node } = await startRelay();
device = await startLongReplyDevice();
const { host, port, hostKeySha256 } = device;
const credentials = { username: 'netops', password: 'secret' };
await registerBackend(node, { name: 'talker', host, port, hostKeySha256, credentials });
afterAll(async () => {
  await device.stop();
});

/** The peak growth of this process's memory during `work` and shortly after. */
async function growthOf(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  try {
    await work();
    // The device's remaining output must not accumulate either. Nothing signals when it would have arrived.
    await sleep(300);
  } finally {
    clearInterval(sampling);
  }
  return most - before;
}

test('after a reply of 50 MB a write is UNKNOWN and a read FAILED, and neither reply is kept', async () => {
  for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    expect((await call(node, 'add', element('talker', address))).operation?.state).toBe('SUCCEEDED');

  const growth = await growthOf(async () => {
    const written = await call(node, 'add', element('talker', '10.0.1.1', { comment: 'long' }));
    expect(written.operation).toMatchObject({
      state: 'UNKNOWN',
      stateSource: 'REPLY',
      deviceError: { code: 'UNREADABLE_REPLY', message: expect.stringMatching(/too long to be read/) },
    });
    // The call may still be running, because its quiet time is not over.
    expect(Date.parse(written.operation?.quietUntil ?? '')).toBeGreaterThan(Date.now());

    const { data } = await node.run<{ relayRead: { deviceError: { code: string }; userErrors: object[] } }>(
      identity('OPERATOR'),
      'query ($input: RelayReadInput!) { relayRead(input: $input) { deviceError { code } userErrors { code } } }',
      { input: { backend: { name: 'talker' }, operation: 'setElement.list', arguments: { set: 'long' } } },
    );
    expect(data.relayRead).toEqual({ deviceError: { code: 'REPLY_TOO_LONG' }, userErrors: [] });
  });
  expect(growth).toBeLessThan(mostGrowthBytes);

  expect((await call(node, 'add', element('talker', '10.0.0.4'))).operation?.state).toBe('SUCCEEDED');
});
