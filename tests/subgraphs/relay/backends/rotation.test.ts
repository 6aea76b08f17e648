// Secrets change while calls continue: the backend's credentials, and the key that seals them. No call fails for it,
// and none is repeated.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import ssh2 from 'ssh2';
import { newUuid } from '../../../../platform/ids.ts';
import { Keyring } from '../../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../../platform/secrets/seal.ts';
import { resealCredentials } from '../../../../subgraphs/relay/backends/reseal.ts';
import { keyFile } from '../../../support/ground.ts';
import { element, NftDevice } from '../support/nft-device.ts';
import { call, identity, type RelayNode, RelaySystem } from '../support/relay-system.ts';

const callsEach = 25;
const streams = 4;
const pair = ssh2.utils.generateKeyPairSync('ed25519');
/** The key file after `tidegate keys create`: the old key still opens what it sealed. */
const rotated = { active: 'k2', keys: { ...keyFile.keys, k2: Buffer.alloc(32, 9).toString('base64') } };

let system: RelaySystem;
let node: RelayNode;
let device: NftDevice;

beforeAll(async () => {
  system = await RelaySystem.start();
  node = await system.node({ sealer: createSealer(new Keyring(rotated)) });
  device = await NftDevice.start({ publicKeys: [pair.public] });
});
afterAll(async () => {
  await system.stop();
  await device.ssh.stop();
});

test('a password is replaced by a key, and the sealing key is rotated, during a stream of calls', async () => {
  const id = await device.register(node, 'fw');
  let done = 0;
  const changes = [
    () =>
      node.run(
        identity('OPERATOR'),
        'mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { userErrors { code message } } }',
        { input: { id, credentials: { username: 'netops', privateKey: pair.private } } },
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
