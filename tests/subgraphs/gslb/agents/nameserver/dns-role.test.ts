// The dns role as `tidegate serve --roles dns` starts it, with the credentials of an enrolled machine. The tests query
// it with dig.
// needs: bind9-dnsutils
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { request } from 'undici';
import { startProcess } from '../../../../../compose/process.ts';
import { makeKey } from '../../../../../dns/answerer/dnssec/keys.ts';
import type { NamePlan } from '../../../../../dns/policy/plan.ts';
import { runProgram } from '../../../../../embedded/run-program.ts';
import { writeMachineFile } from '../../../../../platform/machines/machine-file.ts';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { readConfig } from '../../../../../platform/process/config.ts';
import { gslbRow } from '../../../../../subgraphs/gslb/row.ts';
import { zoneKey } from '../../../../../subgraphs/gslb/wire/dns-wire.ts';
import { startProgram } from '../../../../bin/support/up-process.ts';
import { member, namePlan, zone, zonePlan } from '../../../../dns/answerer/support/plans.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { testHistory } from '../../../../support/stores/histories.ts';
import { TestConductor } from '../../support/test-conductor.ts';

const log = pino({ level: 'silent' });
const ports = { dns: 0, watch: 0, link: 0 };
let folder: TemporaryFolder;
let authority: CertificateAndKey;
let conductor: TestConductor;
let settings: Readonly<Record<string, string>>;
let program: ReturnType<typeof startProgram> | undefined;

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  authority = await testAuthority();
  conductor = new TestConductor(log);
  await conductor.start(authority, ports.link);
  const machine = join(folder.path, 'machine');
  await mkdir(machine, { mode: 0o700 });
  const { id, cert, key, ca } = await testMachine(authority, 'dns', 'ns-1', log);
  await writeMachineFile(machine, {
    ...{ id, name: 'ns-1', role: 'dns', endpoint: 'http://127.0.0.1:1', token: 'none' },
    ...{ expiresAt: new Date(Date.now() + 6 * 86_400_000).toISOString(), certificate: cert, key, authority: ca },
  });
  settings = {
    ...{ roles: 'dns', name: 'ns-1', 'internal.machineFolder': machine, 'watch.port': String(ports.watch) },
    'nameserver.controlUrls': `wss://127.0.0.1:${ports.link}/link`,
    'nameserver.listen': `127.0.0.1:${ports.dns}`,
    'nameserver.folder': join(folder.path, 'nameserver'),
  };
  await writeFile(join(folder.path, 'dns.json'), JSON.stringify(settings), { mode: 0o600 });
  start();
});

afterAll(async () => {
  await kill();
  await conductor?.stop();
  await folder?.remove();
});

function start(): void {
  program = startProgram(['serve', '--as-root', '--config', join(folder.path, 'dns.json')]);
}

async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null | undefined> {
  program?.child.kill(signal);
  return (await program?.ended)?.code;
}

/** The addresses; undefined if there was no answer. */
async function dig(name: string): Promise<string | undefined> {
  const words = ['@127.0.0.1', '-p', String(ports.dns), '+short', '+time=1', '+tries=1', `${name}.${zone}`];
  const { stdout } = await runProgram('dig', words).catch(() => ({ stdout: ';;' }));
  return stdout.startsWith(';;') ? undefined : stdout.trim();
}

async function age(): Promise<string> {
  const words = ['@127.0.0.1', '-p', String(ports.dns), '+short', 'age.tidegate.', 'TXT', 'CH'];
  return (await runProgram('dig', words)).stdout;
}

async function watched(path: string): Promise<string> {
  return (await request(`http://127.0.0.1:${ports.watch}${path}`)).body.text();
}

const at = (label: string, address: string, parts: Partial<NamePlan> = {}) =>
  namePlan(label, { members: [member('m1', { addresses: [address] })], ...parts });
const plan = zonePlan([at('a', '192.0.2.1'), at('b', '192.0.2.2')], { keys: [makeKey(257, true)] });

test('a conductor sends it zones, and it reports its positions', async () => {
  await waitFor('the connection', () => conductor.facts !== undefined);
  expect(conductor.facts).toMatchObject({ name: 'ns-1', addresses: [{ address: '127.0.0.1', port: ports.dns }] });
  conductor.set(plan);
  await waitFor('the zone', () => conductor.answered(zone) === 7);
  expect(await dig('a')).toBe('192.0.2.1');
  conductor.change({
    zone,
    history: testHistory,
    from: 7,
    to: 8,
    names: [at('a', '192.0.2.8')],
    removedNames: [`b.${zone}`],
  });
  await waitFor('the change', () => conductor.answered(zone) === 8);
  expect(await dig('a')).toBe('192.0.2.8');
  expect(await dig('b')).toBe('');
  expect(conductor.state).toMatchObject({ refused: {}, heardAgoMs: expect.any(Number) });
  expect(await age()).toMatch(/^"age \d+ s, zones 1"/);
  expect(await watched('/metrics')).toMatch(/^tidegate_nameserver_connected 1$/m);
  expect(await watched('/metrics')).toMatch(/^tidegate_nameserver_packets_total\{kind="queries"\} [1-9]/m);
  expect(await watched('/health/ready')).toContain('"ready":true');
});

test('a change out of sequence makes it request the whole zone', async () => {
  const after = { ...plan, generation: 11, names: [at('a', '192.0.2.11')] };
  conductor.zones.set(zone, after);
  conductor.change({ zone, history: testHistory, from: 10, to: 11, names: after.names, removedNames: [] });
  await waitFor('the zone', () => conductor.answered(zone) === 11);
  expect(conductor.resent).toContain(zoneKey(zone));
  expect(await dig('a')).toBe('192.0.2.11');
});

test('faulty data is refused and reported, and the last good answers stay', async () => {
  const [key] = plan.keys;
  const good = conductor.zones.get(zone) ?? plan;
  const twice = [at('a', '192.0.2.66'), at('a', '192.0.2.67')];
  const wrong: readonly [unknown, RegExp][] = [
    [{ ...good, generation: 12, names: twice }, /twice/],
    [{ ...good, generation: 12, zone: 'other.test.' }, /not in the zone/],
    [{ ...good, generation: 12, keys: [{ ...key, keyTag: 1 }] }, /tag/],
    [{ nothing: true }, /./],
  ];
  for (const [document, why] of wrong) {
    conductor.send(zone, 12, document as never);
    await waitFor(`a refusal: ${why}`, () => why.test(conductor.state?.refused[zone]?.why ?? ''));
  }
  // The plan is valid on its own, but not in this zone.
  const apex = at('', '', { gslbId: 'apex', members: [member('m', { cname: `y.${zone}` })] });
  const change = {
    zone,
    history: testHistory,
    from: 11,
    to: 12,
    names: [apex],
    removedNames: [`a.${zone}`],
  };
  conductor.change(change);
  conductor.zones.set(zone, good);
  await waitFor('its refusal', () => /the zone itself/.test(conductor.state?.refused[zone]?.why ?? ''));
  expect(await dig('a')).toBe('192.0.2.11');
  conductor.set({ ...good, generation: 13 });
  await waitFor('the next good one', () => conductor.answered(zone) === 13);
  expect(conductor.state?.refused).toEqual({});
});

test('restarted after a kill with everything else down, it gives the same answers and reports their age', async () => {
  conductor.set({ ...zonePlan([]), zone: 'second.test.', nameServers: [] });
  await waitFor('the second zone', () => conductor.answered('second.test.') === 7);
  const file = join(folder.path, 'nameserver', 'zones', 'second.test.json');
  await waitFor('its file', () => readFile(file, 'utf8').catch(() => undefined));
  await conductor.stop();
  expect(await dig('a')).toBe('192.0.2.11');
  await kill();
  expect(await dig('a')).toBeUndefined();
  start();
  expect(await waitFor('an answer', () => dig('a'))).toBe('192.0.2.11');
  expect(await age()).toMatch(/^"age \d+ s, zones 2"/);
  expect(await watched('/health/ready')).toContain('"ready":true');
  for (const name of await readdir(join(folder.path, 'nameserver', 'zones')))
    expect(await readFile(join(folder.path, 'nameserver', 'zones', name), 'utf8')).not.toContain('PRIVATE KEY');
  // The conductor is back with other zones.
  conductor.zones.delete('second.test.');
  await conductor.start(authority, ports.link);
  await waitFor('the removal', () => conductor.state !== undefined && conductor.answered('second.test.') === undefined);
  expect(conductor.answered(zone)).toBe(13);
});

test('it shuts down in order when asked to stop', async () => {
  expect(await kill('SIGTERM')).toBe(0);
  expect(program?.output()).not.toContain(`"level":50`);
});

test('missing settings are reported by name', async () => {
  const begin = async (flags: Readonly<Record<string, string>>) =>
    startProcess(readConfig({ flags }, [gslbRow]), log, { rows: [gslbRow] });
  for (const missing of ['nameserver.controlUrls', 'nameserver.listen', 'internal.machineFolder'])
    await expect(
      begin(Object.fromEntries(Object.entries(settings).filter(([name]) => name !== missing))),
    ).rejects.toThrow(missing);
  for (const [name, wrong] of Object.entries({
    'nameserver.controlUrls': 'https://control.test',
    'nameserver.listen': '192.0.2.1',
    'nameserver.answersPerSecond': '0',
  }))
    await expect(begin({ ...settings, [name]: wrong })).rejects.toThrow(name);
  const { createServer } = await import('node:net');
  const other = createServer().listen(ports.dns, '127.0.0.1');
  await once(other, 'listening');
  await expect(begin(settings)).rejects.toThrow('nameserver.listen');
  other.close();
});
