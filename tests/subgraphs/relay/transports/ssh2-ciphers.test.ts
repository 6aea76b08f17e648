import { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import ssh2, { type Client } from 'ssh2';
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import { makeKeyObjects } from '../../../../subgraphs/relay/transports/ssh2-ciphers.ts';

interface Internals {
  readonly _protocol: {
    readonly _cipher: { readonly _encKey?: unknown };
    readonly _decipher: { readonly _decipherKey?: unknown };
    rekey(): void;
  };
}

const owned: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const thing of owned.splice(0).toReversed()) await thing.stop();
});

async function ready(cipher: 'aes128-gcm@openssh.com' | 'aes128-ctr' | 'chacha20-poly1305@openssh.com') {
  const device = await SshDevice.start({ onExec: async (execution) => execution.reply(await execution.stdin()) });
  owned.push(device);
  const client = new ssh2.Client();
  owned.push({ stop: () => client.destroy() });
  client.on('error', () => {});
  const { host, port } = device;
  client.connect({ host, port, username: 'test', password: 'secret', algorithms: { cipher: [cipher] } });
  await once(client, 'ready');
  makeKeyObjects(client);
  return { client, keys: () => keysOf(client) };
}

function keysOf(client: Client): readonly unknown[] {
  const { _cipher, _decipher } = (client as unknown as Internals)._protocol;
  return [_cipher._encKey, _decipher._decipherKey];
}

/** Returns the device's echo of the words. */
function echo(client: Client, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec('echo', (error, channel) => {
      if (error) return reject(error);
      let heard = '';
      channel.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
      });
      channel.on('close', () => resolve(heard));
      channel.end(words);
    });
  });
}

test('keys of AES-GCM are key objects, and packets pass both ways', async () => {
  const { client, keys } = await ready('aes128-gcm@openssh.com');
  expect(keys().every((key) => key instanceof KeyObject)).toBe(true);
  expect(await echo(client, 'one')).toBe('one');
});

test('a later key exchange has its own keys', async () => {
  const { client, keys } = await ready('aes128-gcm@openssh.com');
  const before = keys();
  const exchanged = once(client, 'handshake');
  (client as unknown as Internals)._protocol.rekey();
  await exchanged;
  expect(await echo(client, 'two')).toBe('two');
  for (const [index, key] of keys().entries()) expect(key).not.toBe(before[index]);
});

test.each(['aes128-ctr', 'chacha20-poly1305@openssh.com'] as const)('%s is left unchanged', async (cipher) => {
  const { client, keys } = await ready(cipher);
  expect(keys().some((key) => key instanceof KeyObject)).toBe(false);
  expect(await echo(client, 'three')).toBe('three');
});
