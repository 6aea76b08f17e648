// A refused login counts once, whatever the number of waiting calls, because each attempt brings the account closer to
// a lockout.
import { afterEach, expect, jest, test } from '@jest/globals';
import { type Execution, SshDevice } from '../../../../simulators/ssh-device.ts';
import type { CliDialect } from '../../../../subgraphs/relay/drivers/driver.ts';
import type { Transport } from '../../../../subgraphs/relay/transports/session.ts';
import { createSshTransport } from '../../../../subgraphs/relay/transports/ssh-transport.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';

const owned: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const thing of owned.splice(0).reverse()) await thing.stop();
});

/** A device whose password can be changed while sessions are open. */
async function meet(cli?: CliDialect) {
  const held: Execution[] = [];
  const options = {
    password: 'secret',
    maxChannels: 1,
    onExec: (execution: Execution) => {
      if (execution.command === 'hold') held.push(execution);
      else execution.reply('');
    },
  };
  const device = await SshDevice.start(options);
  owned.push(device);
  const { host, port, hostKeySha256 } = device;
  const credentials = { username: 'ops', password: 'secret' };
  const transport = createSshTransport(
    { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials },
    { egress: testEgress, concurrency: 16, ...(cli === undefined ? {} : { cli }) },
  );
  owned.push({ stop: () => transport.close() });
  return { device, options, transport, held };
}

const run = (transport: Transport, command: string) =>
  transport.send({ kind: 'exec', command }, { deadlineMs: 30_000 });
const inAMinute = () => {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
};

test('16 calls at once', async () => {
  const { device, options, transport } = await meet();
  options.password = 'another';
  const ends = await Promise.all(Array.from({ length: 16 }, () => run(transport, 'true')));
  expect(ends.map((end) => !end.ok && end.failure.code)).toEqual(Array(16).fill('AUTH_FAILED'));
  expect(device.passwords).toHaveLength(1);
});

test('a further session is not tried again while others are open', async () => {
  const { device, options, transport, held } = await meet();
  const first = run(transport, 'hold');
  await waitFor('the first call', () => held.length === 1);
  options.password = 'another';
  const others = [run(transport, 'true')];
  await waitFor('the refusal', () => device.passwords.length === 2);
  inAMinute();
  others.push(run(transport, 'true'));
  // The device is used in between.
  held.shift()?.reply('');
  expect(await first).toMatchObject({ ok: true });
  const ends = await Promise.all(others);
  expect(ends.map((end) => end.ok)).toEqual([true, true]);
  expect(device.passwords).toHaveLength(2);
});

test('once no session is open, the login is tried again, and the pool can grow', async () => {
  const { device, options, transport, held } = await meet();
  const first = run(transport, 'hold');
  await waitFor('the first call', () => held.length === 1);
  options.password = 'another';
  const second = run(transport, 'true');
  await waitFor('the refusal', () => device.passwords.length === 2);
  options.password = 'secret';
  device.cutAll();
  expect(await first).toMatchObject({ ok: false, failure: { code: 'CONNECTION_LOST' } });
  expect(await second).toMatchObject({ ok: true });
  held.splice(0);
  const both = [run(transport, 'hold'), run(transport, 'hold')];
  await waitFor('two sessions', () => held.length === 2);
  for (const execution of held) execution.reply('');
  expect(await Promise.all(both)).toMatchObject([{ ok: true }, { ok: true }]);
});
