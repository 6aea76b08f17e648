// The name of the primary in the settings of "tidegate ha agent". Faults are reported before anything is started.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { dnsNameIn } from '../../compose/ha-name.ts';
import { readConfig } from '../../platform/process/config.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let settings: Record<string, string>;

beforeAll(async () => {
  folder = await temporaryFolder();
  const keyFile = join(folder.path, 'key');
  const secret = Buffer.alloc(32, 7).toString('base64');
  await writeFile(keyFile, `key "tidegate" { algorithm hmac-sha256; secret "${secret}"; };\n`, { mode: 0o600 });
  settings = {
    ...{ 'ha.address': 'dns', 'ha.dnsName': 'api.example.net', 'ha.dnsZone': 'example.net', 'ha.dnsKeyFile': keyFile },
    'ha.dnsServers': '192.0.2.53,[2001:db8::53]:5353',
  };
});

afterAll(() => folder?.remove());

const read = async (changed: Record<string, string> = {}) =>
  dnsNameIn(readConfig({ flags: { ...settings, ...changed } }, []), '192.0.2.1');

test('the name, its servers, and the address of this host', async () => {
  expect(await read()).toMatchObject({
    ...{ name: 'api.example.net', zone: 'example.net', address: '192.0.2.1', key: { name: 'tidegate' } },
    servers: [
      { address: '192.0.2.53', port: 53 },
      { address: '2001:db8::53', port: 5353 },
    ],
  });
  expect(await read({ 'ha.dnsAddress': '198.51.100.1' })).toMatchObject({ address: '198.51.100.1' });
});

test.each([
  ['ha.dnsName', 'api.example.org'],
  ['ha.dnsName', 'API.example.net'],
  ['ha.dnsZone', 'no zone'],
  ['ha.dnsServers', 'ns.example.net'],
  ['ha.dnsAddress', 'a.example.net'],
  ['ha.dnsKeyFile', '/dev/null'],
])('%s %s is refused', async (setting, value) => {
  await expect(read({ [setting]: value })).rejects.toThrow(setting);
});

test.each(['ha.dnsName', 'ha.dnsZone', 'ha.dnsServers', 'ha.dnsKeyFile'])('without %s it does not start', (setting) => {
  const { [setting]: _, ...others } = settings;
  expect(() => readConfig({ flags: others }, [])).toThrow(setting);
});
