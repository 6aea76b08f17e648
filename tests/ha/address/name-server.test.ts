// The primary's name server, with a real PowerDNS. It answers only while its host is the primary, and starts empty each time.
// needs: bind9-dnsutils
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { NameServer, nameServerKey } from '../../../ha/address/name-server.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { type OwnNetwork, ownNetwork } from '../../support/machine/own-network.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const zone = 'lb.example.test';
const name = `web.${zone}`;
const farMs = 60_000;
const accounts = { applicationPassword: 'one', replicationPassword: 'two' };
const key = nameServerKey({ cluster: 'c', accounts });

let place: TemporaryFolder;
let folder: DataFolder;
let network: OwnNetwork;
let port: number;
let told: string[];
let server: NameServer;

beforeEach(async () => {
  place = await temporaryFolder();
  network = await ownNetwork();
  port = await freePort();
  told = [];
  folder = await openDataFolder(join(place.path, 'data'), { version: 1 });
  await mkdir(join(folder.path, 'ha'), { mode: 0o700 });
  await writeFile(keyFile(), key.text, { mode: 0o600 });
  server = await open();
});

afterEach(async () => {
  await server.close();
  await folder.close();
  network.release();
  await place.remove();
});

const keyFile = () => join(place.path, 'key');
const at = (last: number) => `127.${network.part}.0.${last}`;

function open(publishers: readonly string[] = [at(1)]): Promise<NameServer> {
  const say = (text: string) => void told.push(text);
  return NameServer.open({
    ...{ folder, port, zones: [zone], addresses: [at(1), at(9)], publishers: () => publishers, retryMs: 20 },
    key: { secret: key.secret, keyFile: keyFile() },
    log: { debug: () => undefined, info: say, warn: say, error: say },
  });
}

/** `undefined` if there is no answer. */
async function answer(address = at(1), asked = name): Promise<string | undefined> {
  const words = [`@${address}`, '-p', String(port), '+short', '+time=1', '+tries=1', asked];
  const { exitCode, stdout } = await runProgram('dig', words);
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function update(line: string): Promise<string> {
  const script = join(place.path, 'script');
  await writeFile(script, `server ${at(1)} ${port}\nlocal ${at(1)}\nzone ${zone}\n${line}\nsend\n`);
  return (await runProgram('nsupdate', ['-k', keyFile(), script])).stderr;
}

const isSilent = () => waitFor('silence', async () => (await answer()) === undefined);
const answers = (text: string, address?: string) =>
  waitFor(`the answer "${text}"`, async () => (await answer(address)) === text);

test('it answers on the host address and the virtual address while its host is the primary, and no other host answers', async () => {
  expect(await answer()).toBeUndefined();
  server.held(farMs, 1);
  await answers('');
  expect(await update(`update add ${name} 5 A 192.0.2.1`)).toBe('');
  await answers('192.0.2.1');
  await answers('192.0.2.1', at(9));
  server.lost();
  await isSilent();
});

test('it starts empty on each new primary, and an agent restart keeps its records', async () => {
  server.held(farMs, 1);
  await answers('');
  await update(`update add ${name} 5 A 192.0.2.1`);
  await server.close();
  await isSilent();
  server = await open();
  server.held(farMs, 1);
  await answers('192.0.2.1');
  // Another host was the primary in between.
  server.lost();
  server.held(farMs, 3);
  await answers('');
});

test('only data hosts of the cluster can update it', async () => {
  await server.close();
  server = await open([at(2)]);
  server.held(farMs, 1);
  await answers('');
  expect(await update(`update add ${name} 5 A 192.0.2.1`)).toContain('REFUSED');
  expect(await answer()).toBe('');
});

test('a port in use is reported, and the start is retried', async () => {
  const other = createServer((each) => each.destroy());
  other.listen(port, at(1));
  await once(other, 'listening');
  server.held(farMs, 1);
  await waitFor('the reason', () => told.some((text) => text.startsWith('ha: names are not answered:')));
  other.close();
  await answers('');
});

test('a host that loses its promotion at once stops what it had started', async () => {
  for (let epoch = 1; epoch < 4; epoch += 1) {
    server.held(farMs, epoch);
    server.lost();
  }
  await server.close();
  expect(await answer()).toBeUndefined();
  expect(told.filter((text) => text.includes('not answered'))).toEqual([]);
});
