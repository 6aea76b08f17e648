// The backend's credentials and the sealing key change while calls continue. No call fails because of it, and none is
// repeated.
import { expect, test } from '@jest/globals';
import ssh2 from 'ssh2';
import { Keyring } from '../../../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../../../platform/secrets/seal.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { resealCredentials } from '../../../../../subgraphs/relay/control/backends/reseal.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { keyFile } from '../../../../support/product/test-context.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const callsEach = 25;
const streams = 4;
const pair = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
/** The key file after `tidegate keys create`. The old key still opens data that it sealed. */
const rotated = { active: 'k2', keys: { ...keyFile.keys, k2: Buffer.alloc(32, 9).toString('base64') } };

const { node, device } = await startRelay({
  node: { sealer: createSealer(new Keyring(rotated)) },
  device: () => NftDevice.start({ publicKeys: [pair.public] }),
});

test('a password is replaced by a key, and the sealing key is rotated, during a stream of calls', async () => {
  const id = await device.register(node, 'fw');
  let done = 0;
  const changes = [
    () =>
      node.mutate(
        'backendUpdate',
        { id, credentials: { username: 'netops', privateKey: pair.private } },
        'userErrors { code message }',
      ),
    // Sealed by a process that still uses the old key.
    async () => {
      const old = createSealer(new Keyring({ ...rotated, active: 'k1' }));
      await resealCredentials(node.db, { sealer: old, keyId: 'k1', openOlder: false });
      const sealer = createSealer(new Keyring(rotated));
      return resealCredentials(node.db, { sealer, keyId: 'k2', openOlder: false });
    },
  ];
  const states: (string | undefined)[] = [];
  await Promise.all(
    Array.from({ length: streams }, async (_, stream) => {
      for (let number = 1; number <= callsEach; number += 1) {
        const address = `10.${stream}.9.${number}`;
        const made = await call(node, 'add', element('fw', address, { idempotencyKey: newUuid() }));
        states.push(made.operation?.state);
        done += 1;
        if (done === callsEach) await changes[0]?.();
        if (done === 2 * callsEach) await changes[1]?.();
      }
    }),
  );
  expect(states.filter((state) => state !== 'SUCCEEDED')).toEqual([]);
  expect(states).toHaveLength(streams * callsEach);
  expect(device.told).toHaveLength(streams * callsEach);
  expect(device.ssh.attempts).toContain('password');
  expect(device.ssh.attempts).toContain('publickey');
  const sealedBy = await node.db.query('SELECT DISTINCT key_id AS keyId FROM backend_credential');
  expect(sealedBy).toEqual([{ keyId: 'k2' }]);
});

test('a call that had its session when the credentials were replaced, and is sent afterwards, runs to its end', async () => {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const told: string[] = [];
  const ends = (address: string) => {
    const gate = gates.get(address) ?? Promise.withResolvers<void>();
    gates.set(address, gate);
    return gate;
  };
  const slow = await NftDevice.start({
    publicKeys: [pair.public],
    onExec: async (execution) => {
      const stdin = await execution.stdin();
      const address = /10\.7\.0\.\d+/.exec(stdin)?.[0];
      if (address !== undefined) {
        told.push(address);
        await ends(address).promise;
      }
      execution.reply(stdin);
    },
  });
  const id = await slow.register(node, 'slow');
  const add = (address: string) => call(node, 'add', element('slow', address, { idempotencyKey: newUuid() }));
  // Opens two sessions.
  const warm = [add('10.7.0.1'), add('10.7.0.2')];
  await waitFor('two sessions', () => told.length === 2);
  for (const address of ['10.7.0.1', '10.7.0.2']) ends(address).resolve();
  await Promise.all(warm);
  const earlier = add('10.7.0.3');
  await waitFor('the earlier call', () => told.includes('10.7.0.3'));
  // The database has committed the next call, but its answer is delayed. The call has its session and is not sent yet.
  const answers = Promise.withResolvers<void>();
  const transaction = node.db.transaction.bind(node.db) as typeof node.db.transaction;
  node.db.transaction = async (work, options) => {
    const result = await transaction(work, options);
    await answers.promise;
    return result;
  };
  const later = add('10.7.0.4');
  const sent = "SELECT 1 FROM operation WHERE state = 'SENT'";
  await waitFor('the later call in the journal', async () => (await node.db.query(sent)).length === 2);
  node.db.transaction = transaction;
  await node.mutate(
    'backendUpdate',
    { id, credentials: { username: 'netops', privateKey: pair.private } },
    'userErrors { code message }',
  );
  const newest = add('10.7.0.5');
  await waitFor('a session with the new credentials', () => slow.ssh.attempts.includes('publickey'));
  answers.resolve();
  await waitFor('the later call on the wire', () => told.includes('10.7.0.4'));
  ends('10.7.0.3').resolve();
  expect((await earlier).operation?.state).toBe('SUCCEEDED');
  await node.db.query('SELECT 1');
  for (const address of ['10.7.0.4', '10.7.0.5']) ends(address).resolve();
  expect((await later).operation?.state).toBe('SUCCEEDED');
  expect((await newest).operation?.state).toBe('SUCCEEDED');
  await slow.ssh.stop();
});
