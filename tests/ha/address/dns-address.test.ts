// The primary's address under a name on a real BIND. The name follows the newest primary, even if servers were unavailable or a former
// primary writes late.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DnsAddress } from '../../../ha/address/dns-address.ts';
import { bind, zone } from '../../dns/support/name-servers.ts';
import { forFile } from '../../support/jest/shared.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const cluster = '3f0c2b52-4f0e-4c1e-9d58-0f6f0f5a7c11';
const server = forFile(() => bind());
let told: string[];
let opened: DnsAddress[];
let names = 0;
let name: string;

beforeEach(() => {
  told = [];
  opened = [];
  names += 1;
  name = `api${names}.${zone}`;
});

afterEach(() => Promise.all(opened.map((each) => each.close())));

function host(me: string, address: string, of = cluster): DnsAddress {
  const say = (text: string) => void told.push(text);
  const made = new DnsAddress({
    ...{ name, zone, servers: [server.place], key: server.key, address, cluster: of, me, retryMs: 50 },
    log: { debug: say, info: say, warn: say, error: say },
  });
  opened.push(made);
  return made;
}

const farMs = 60_000;
const answers = async (...wanted: string[]) =>
  waitFor(`${name} to be ${wanted.join(', ')}`, async () => {
    const [found, found6] = [await server.dig(name, 'A'), await server.dig(name, 'AAAA')];
    return JSON.stringify([...found, ...found6]) === JSON.stringify(wanted);
  });

test('the name points to the primary, and then to its successor', async () => {
  const [a, b] = [host('a', '192.0.2.1'), host('b', '2001:db8::2')];
  a.held(farMs, 1);
  await answers('192.0.2.1');
  expect(await server.dig(`_tidegate.${name}`, 'TXT')).toEqual([
    `"tidegate writer=${cluster} generation=1 records=1 owner=ha/a"`,
  ]);
  // A planned change: for a moment there is no primary.
  a.lost();
  await answers('192.0.2.1');
  b.held(farMs, 2);
  await answers('2001:db8::2');
});

test('a former primary that does not know it was replaced does not restore its address', async () => {
  const [a, b] = [host('a', '192.0.2.1'), host('b', '192.0.2.2')];
  b.held(farMs, 5);
  await answers('192.0.2.2');
  a.held(farMs, 4);
  await waitFor('its refusal', async () => told.some((text) => text.includes("a newer primary's")));
  await answers('192.0.2.2');
});

test('a server that was unavailable is updated when it returns, but never with a former primary', async () => {
  const [a, b] = [host('a', '192.0.2.1'), host('b', '192.0.2.2')];
  await server.kill();
  a.held(farMs, 1);
  await waitFor('a try that fails', async () => told.some((text) => text.includes('is not 192.0.2.1')));
  a.lost();
  b.held(farMs, 2);
  await server.start();
  await answers('192.0.2.2');
  expect(told.filter((text) => text.includes(`${name} is 192.0.2.1 `))).toEqual([]);
});

test('foreign records at the name are left alone and reported', async () => {
  await server.nsupdate(`update add ${name} 60 A 198.51.100.7`);
  host('a', '192.0.2.1').held(farMs, 1);
  await waitFor('the reason', async () => told.some((text) => text.includes('NAME_TAKEN_BY_OTHERS')));
  await answers('198.51.100.7');
});

test('another cluster removes nothing', async () => {
  host('a', '192.0.2.1').held(farMs, 1);
  await answers('192.0.2.1');
  host('a', '192.0.2.9', 'aaaaaaaa-4f0e-4c1e-9d58-0f6f0f5a7c11').held(farMs, 9);
  await waitFor('the reason', async () => told.some((text) => text.includes('is not 192.0.2.9')));
  await answers('192.0.2.1');
});
