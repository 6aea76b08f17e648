// PowerDNS through its HTTP API: the contract, and its special cases: caches, zones, signatures, and a Knot that transfers its
// zones.
// needs: knot, bind9-dnsutils
import { createSocket } from 'node:dgram';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DnsError } from '../../../dns/servers/dns-error.ts';
import { PowerdnsServer } from '../../../dns/servers/powerdns-server.ts';
import type { WantedName } from '../../../dns/servers/record-server.ts';
import { encodeQuery, types } from '../../../dns/wire/message.ts';
import type { TsigKey } from '../../../dns/wire/tsig.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { ServerProcess } from '../../../embedded/server-process.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { egressFrom } from '../../../platform/net/egress.ts';
import { testEgress } from '../../support/machine/egress.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { patience } from '../../support/machine/patience.ts';
import { temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { zone } from '../support/name-servers.ts';
import { powerdnsApi } from '../support/powerdns-api.ts';
import { type ContractPlace, describeContract } from './contract.ts';

const signal = new AbortController().signal;

interface ApiPlace extends ContractPlace {
  readonly records: PowerdnsServer;
  readonly dns: { readonly address: string; readonly port: number };
  readonly options: ConstructorParameters<typeof PowerdnsServer>[0];
}

async function open(): Promise<ApiPlace> {
  const server = await powerdnsApi();
  const { url, certificateSha256, apiKey } = server;
  const options = {
    place: { url, certificateSha256, caCertificates: null },
    ...{ dns: server.place, apiKey, egress: testEgress, timeoutMs: 5_000 },
  };
  return {
    options,
    dns: server.place,
    records: new PowerdnsServer(options),
    dig: (name, type) => server.dig(name, type),
    add: (name, ttl, type, value) => server.nsupdate(`update add ${name} ${ttl} ${type} ${value}`),
    removeAll: (name, type) => server.nsupdate(`update delete ${name} ${type}`),
    kill: () => server.kill(),
    start: () => server.start(),
    remove: () => server.remove(),
  };
}

describeContract('PowerDNS by its API', 'POWERDNS', open);

let place: ApiPlace;
beforeAll(async () => {
  place = await open();
}, 60_000 * patience);
afterAll(async () => {
  await place.records.close();
  await place.remove();
});

function wanted(generation: number, value: string, change: Partial<WantedName> = {}): WantedName {
  return {
    ...{ zone, name: `asked.${zone}`, writer: '00000000-0000-4000-8000-000000000000', owner: 'gslb/1', generation },
    ...{
      records: [{ type: 'A' as const, value }],
      ttlSeconds: 60,
      earlierRecords: [],
      readAtMs: Date.now(),
      ...change,
    },
  };
}

/** As a publisher does: if a server is too busy to answer in time, it is queried again. */
async function publishAtLast(name: WantedName): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await place.records.publish(name, signal);
      return;
    } catch (error) {
      if (!(error instanceof DnsError && error.code === 'TIMED_OUT' && tries < 5 * patience)) throw error;
    }
  }
}

test('while a name is queried without pause, no answer is older than a published change', async () => {
  const question = encodeQuery(7, { name: `asked.${zone}`, type: types.A });
  const socket = createSocket('udp4');
  const sent = new Map<number, string>();
  let [published, next, answers] = ['', 1, 0];
  const stale: string[] = [];
  socket.on('message', (answer) => {
    const id = answer.readUInt16BE(0);
    const least = sent.get(id);
    sent.delete(id);
    // The address is the last of the answer's four bytes.
    const got =
      answer.readUInt16BE(6) === 0 ? '' : [...answer.subarray(question.length + 12, question.length + 16)].join('.');
    answers += 1;
    const number = (text: string) => Number(text.split('.')[3] ?? 0);
    if (least !== undefined && least !== '' && number(got) < number(least)) stale.push(`${got} after ${least}`);
  });
  const timer = setInterval(() => {
    for (let count = 0; count < 5; count += 1) {
      const id = next;
      next = (next + 1) % 0x10000;
      const packet = Buffer.from(question);
      packet.writeUInt16BE(id, 0);
      sent.set(id, published);
      socket.send(packet, place.dns.port, place.dns.address);
    }
  }, 5);
  try {
    for (let generation = 1; generation <= 200; generation += 1) {
      await publishAtLast(wanted(generation, `192.0.2.${generation}`));
      published = `192.0.2.${generation}`;
    }
  } finally {
    clearInterval(timer);
    socket.close();
  }
  expect(answers).toBeGreaterThan(100);
  expect(stale).toEqual([]);
}, 120_000);

test('another certificate, another key and a denied address are reported, and nothing is changed', async () => {
  const { options } = place;
  const other = (change: object) => new PowerdnsServer({ ...options, ...change });
  const code = async (server: PowerdnsServer) => {
    const error = await server.publish(wanted(1_000, '192.0.2.250'), signal).catch((each) => each);
    await server.close();
    return error.code;
  };
  const certificateSha256 = `SHA256:${'A'.repeat(43)}`;
  expect(await code(other({ place: { ...options.place, certificateSha256 } }))).toBe('BAD_CERTIFICATE');
  expect(await code(other({ apiKey: 'another' }))).toBe('UNAUTHORIZED');
  expect(await code(other({ egress: egressFrom({}) }))).toBe('EGRESS_DENIED');
  expect(await place.dig(`asked.${zone}`, 'A')).not.toContain('192.0.2.250');
});

test('makes a zone, signs it and stops signing it; its records stay', async () => {
  const made = { zone: 'made.example.test', nameServers: ['ns1.example.test', 'ns2.example.test'] };
  const wish = { ...made, isSigned: false, secondaries: [], transferKey: undefined };
  const name = `web.${made.zone}`;
  await place.records.ensureZone(wish, signal);
  await place.records.ensureZone(wish, signal);
  expect(await place.dig(made.zone, 'NS')).toEqual(['ns1.example.test.', 'ns2.example.test.']);
  const moved = { ...wish, nameServers: ['ns2.example.test', 'ns3.example.test'] };
  await place.records.ensureZone(moved, signal);
  await place.records.ensureZone(moved, signal);
  await waitFor('the changed NS records', async () => {
    return String(await place.dig(made.zone, 'NS')) === 'ns2.example.test.,ns3.example.test.';
  });
  await place.records.ensureZone(wish, signal);
  await place.records.publish(wanted(1, '192.0.2.1', { zone: made.zone, name }), signal);
  expect(await place.records.delegationSigners(made.zone, signal)).toEqual([]);
  await place.records.ensureZone({ ...wish, isSigned: true }, signal);
  expect(await place.dig(name, 'A')).toEqual(['192.0.2.1']);
  expect((await place.records.delegationSigners(made.zone, signal)).length).toBeGreaterThan(0);
  const signed = async () => {
    const args = [`@${place.dns.address}`, '-p', String(place.dns.port), '+dnssec', '+norecurse', name, 'A'];
    return (await runProgram('dig', args)).stdout.includes('RRSIG');
  };
  expect(await signed()).toBe(true);
  await place.records.publish(wanted(2, '192.0.2.2', { zone: made.zone, name }), signal);
  expect(await place.dig(name, 'A')).toEqual(['192.0.2.2']);
  await place.records.ensureZone(wish, signal);
  expect(await signed()).toBe(false);
});

test('an existing zone keeps its own NS records', async () => {
  const before = await place.dig(zone, 'NS');
  expect(before).not.toEqual(['ns9.example.test.']);
  const wish = { zone, nameServers: ['ns9.example.test'], isSigned: false, secondaries: [], transferKey: undefined };
  await place.records.ensureZone(wish, signal);
  await place.records.ensureZone(wish, signal);
  await place.records.publish(wanted(5_000, '192.0.2.1'), signal);
  expect(await place.dig(zone, 'NS')).toEqual(before);
});

test(
  'a Knot as secondary has each change, transferred under the key',
  async () => {
    const folder = await temporaryFolder();
    const port = await freePort();
    const home = join(folder.path, 'knot');
    for (const each of [home, join(home, 'run')]) await mkdir(each, { mode: 0o700 });
    const secret = Buffer.alloc(32, 9);
    const transferKey: TsigKey = { name: 'transfers', algorithm: 'hmac-sha256', secret };
    const made = 'transferred.example.test';
    await writeFile(
      join(home, 'knot.conf'),
      `server:
    rundir: "${home}/run"
    listen: 127.0.0.1@${port}
database:
    storage: "${home}"
key:
  - id: transfers
    algorithm: hmac-sha256
    secret: ${secret.toString('base64')}
remote:
  - id: primary
    address: 127.0.0.1@${place.dns.port}
    key: transfers
acl:
  - id: primary
    address: 127.0.0.1
    key: transfers
    action: notify
zone:
  - domain: ${made}
    storage: "${home}"
    master: primary
    acl: primary
`,
    );
    await chmod(join(home, 'knot.conf'), 0o600);
    const wish = { zone: made, nameServers: ['ns1.example.test'], isSigned: false, transferKey };
    await place.records.ensureZone({ ...wish, secondaries: [`127.0.0.1:${port}`] }, signal);
    const knot = new ServerProcess({
      name: 'Knot',
      command: '/usr/sbin/knotd',
      args: ['-c', join(home, 'knot.conf')],
      ...{ cwd: home, runAs: undefined, log: silentLog },
    });
    const ask = async (name: string, type: string) => {
      const args = ['@127.0.0.1', '-p', String(port), '+short', '+norecurse', '+time=1', '+tries=1', name, type];
      return (await runProgram('dig', args)).stdout.trim();
    };
    try {
      await waitFor('the first transfer', async () => (await ask(made, 'NS')) === 'ns1.example.test.');
      const name = `web.${made}`;
      for (const generation of [1, 2, 3]) {
        const value = `192.0.2.${generation}`;
        await place.records.publish(wanted(generation, value, { zone: made, name }), signal);
        await waitFor('the change at the secondary', async () => (await ask(name, 'A')) === value);
      }
      const args = [`@${place.dns.address}`, '-p', String(place.dns.port), made, 'AXFR'];
      expect((await runProgram('dig', args)).stdout).not.toContain('192.0.2.3');
    } finally {
      await knot.stop();
      await folder.remove();
    }
  },
  60_000 * patience,
);
