// Names of members. Their addresses follow the TTL, obey the egress policy, and outlive their name server for a limited
// time.
// needs: bind9
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLogger } from '../../../../../platform/log/log.ts';
import { egressFrom } from '../../../../../platform/net/egress.ts';
import { type ResolvedAddress, resolverOf } from '../../../../../platform/net/resolve-name.ts';
import {
  keepMs,
  leastTtlMs,
  MemberNames,
  mostNamesOfProject,
  mostTtlMs,
} from '../../../../../subgraphs/loadbalancer/agents/lbhost/member-names.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../support/haproxy-node.ts';
import { tally, webMember } from '../../support/members.ts';

let folder: string;
let now: number;
let answers: Map<string, readonly ResolvedAddress[]>;
let asked: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-names-'));
  now = 1_000_000_000;
  answers = new Map();
  asked = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Networks of the host. */
const ranges = ['198.51.100.0/24', '2001:db8:7::/48'];
const egress = egressFrom({ allow: ['127.0.0.0/8'], deny: ['10.66.0.0/16', '192.0.2.9:25'] });

function open(): Promise<MemberNames> {
  return MemberNames.open({
    ...{
      path: join(folder, 'names.json'),
      egress,
      ranges,
      log: createLogger({ level: 'silent', pretty: false }),
      now: () => now,
    },
    resolve: async (name) => {
      asked.push(name);
      const found = answers.get(name);
      if (found === undefined) throw new Error('no such name');
      return found;
    },
  });
}

function says(name: string, ttlSeconds: number, ...addresses: readonly string[]): void {
  answers.set(
    name,
    addresses.map((address) => ({ address, ttlSeconds })),
  );
}

test('a name is resolved again once its TTL has passed, neither at once nor never', async () => {
  const names = await open();
  says('web.test', 30, '192.0.2.2', '192.0.2.1');
  says('quick.test', 0, '192.0.2.3');
  says('slow.test', 1_000_000, '192.0.2.4');
  const use = () => ['WEB.test', 'quick.test', 'slow.test'].map((name) => names.addressesOf(name, 80, 'project'));
  expect(use()).toEqual([[], [], []]);
  await names.resolveDue();
  expect(use()).toEqual([['192.0.2.1', '192.0.2.2'], ['192.0.2.3'], ['192.0.2.4']]);
  says('web.test', 30, '192.0.2.7');
  says('quick.test', 0, '192.0.2.8');
  says('slow.test', 1, '192.0.2.9');
  const times: string[][] = [];
  for (const after of [leastTtlMs - 1, 1, 30_000 - leastTtlMs, mostTtlMs - 30_000]) {
    now += after;
    asked = [];
    use();
    await names.resolveDue();
    times.push(asked.toSorted());
  }
  expect(times).toEqual([[], ['quick.test'], ['quick.test', 'web.test'], ['quick.test', 'slow.test', 'web.test']]);
  expect(use()).toEqual([['192.0.2.7'], ['192.0.2.8'], ['192.0.2.9']]);
});

test('a denied address or port gets no server; values that are not addresses are left out', async () => {
  const names = await open();
  says('rebound.test', 5, '10.66.0.1', '169.254.169.254', '192.0.2.9', 'not an address', '::ffff:10.66.1.1');
  names.addressesOf('rebound.test', 80, 'project');
  await names.resolveDue();
  expect(names.addressesOf('rebound.test', 80, 'project')).toEqual(['192.0.2.9']);
  expect(names.addressesOf('rebound.test', 25, 'project')).toEqual([]);
});

test("like an address, a name may not lead into the host's networks", async () => {
  const names = await open();
  says('inside.test', 5, '198.51.100.1', '198.51.100.77', '::ffff:198.51.100.78', '2001:db8:7::9', '192.0.2.3');
  names.addressesOf('inside.test', 8399, 'project');
  await names.resolveDue();
  expect(names.addressesOf('inside.test', 8399, 'project')).toEqual(['192.0.2.3']);
});

test('a name that no longer resolves keeps its addresses for a limited time, also over a restart', async () => {
  const names = await open();
  says('web.test', 5, '192.0.2.1');
  names.addressesOf('web.test', 80, 'project');
  await names.resolveDue();
  answers.clear();
  const again = await open();
  for (let passed = 0; passed < keepMs; passed += 30_000) {
    expect(again.addressesOf('web.test', 80, 'project')).toEqual(['192.0.2.1']);
    await again.resolveDue();
    now += 30_000;
  }
  now += 30_000;
  again.addressesOf('web.test', 80, 'project');
  await again.resolveDue();
  expect(again.addressesOf('web.test', 80, 'project')).toEqual([]);
  says('web.test', 5, '192.0.2.5');
  now += leastTtlMs;
  await again.resolveDue();
  expect(again.addressesOf('web.test', 80, 'project')).toEqual(['192.0.2.5']);
});

test('unused names are forgotten, and their number is limited', async () => {
  const names = await open();
  for (let n = 0; n < 10_100; n += 1) names.addressesOf(`n${n}.test`, 80, `project-${n % 10}`);
  says('late.test', 5, '192.0.2.1');
  // Not all new names are resolved at once.
  for (let round = 0; round < 50; round += 1) await names.resolveDue();
  expect(names.addressesOf('late.test', 80, 'project')).toEqual([]);
  expect(asked.length).toBe(10_000);
  now += 60_001;
  await names.resolveDue();
  names.addressesOf('late.test', 80, 'project');
  await names.resolveDue();
  expect(names.addressesOf('late.test', 80, 'project')).toEqual(['192.0.2.1']);
});

test("found by reading: one project gets at most a quarter of a host's names, and gets places again when it uses fewer", async () => {
  const names = await open();
  const use = (project: string, count: number) => {
    for (let n = 0; n < count; n += 1) names.addressesOf(`n${n}.${project}.test`, 80, project);
  };
  const resolveAll = async () => {
    for (let round = 0; round < 50; round += 1) await names.resolveDue();
  };
  use('greedy', 10_100);
  use('modest', 3);
  await resolveAll();
  expect(asked.filter((name) => name.endsWith('.greedy.test'))).toHaveLength(mostNamesOfProject);
  expect(asked.filter((name) => name.endsWith('.modest.test'))).toHaveLength(3);
  // A name that another project already uses still counts for this project.
  says('n0.modest.test', 5, '192.0.2.1');
  now += leastTtlMs;
  use('modest', 1);
  await resolveAll();
  expect(names.addressesOf('n0.modest.test', 80, 'modest')).toEqual(['192.0.2.1']);
  expect(names.addressesOf('n0.modest.test', 80, 'greedy')).toEqual([]);
  // The other project's use keeps the name, but not the greedy project's place.
  now += 40_000;
  names.addressesOf('n0.modest.test', 80, 'modest');
  now += 40_000;
  await resolveAll();
  expect(names.addressesOf('n0.modest.test', 80, 'greedy')).toEqual(['192.0.2.1']);
  asked = [];
  use('greedy', mostNamesOfProject);
  await resolveAll();
  expect(asked.filter((name) => name.endsWith('.greedy.test'))).toHaveLength(mostNamesOfProject - 1);
});

test('a real name server: the members of a node follow a name without a reload', async () => {
  const webs = await Promise.all(['127.0.0.21', '127.0.0.22'].map((host) => webMember(host, { host })));
  const port = await freePort();
  let named: ChildProcess | undefined;
  const serve = async (...records: readonly string[]) => {
    named?.kill('SIGKILL');
    const soa = '$TTL 1\n@ SOA ns.test. root.test. 1 60 60 60 1\n@ NS ns.test.\nns A 127.0.0.1\n';
    await writeFile(join(folder, 'zone'), `${soa}${records.join('\n')}\n`);
    const options = `directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file none; session-keyfile "${folder}/key";`;
    await writeFile(
      join(folder, 'named.conf'),
      `options { ${options} };\ncontrols { };\nzone "test" { type primary; file "zone"; };\n`,
    );
    named = spawn('/usr/sbin/named', ['-g', '-c', join(folder, 'named.conf')], { stdio: 'ignore' });
  };
  const node = await HaproxyNode.make({
    places: { addressesOf: (name, at) => names.addressesOf(name, at, 'project') },
  });
  const names = await MemberNames.open({
    ...{
      path: join(folder, 'names.json'),
      egress,
      ranges,
      log: createLogger({ level: 'silent', pretty: false }),
      now: () => now,
    },
    resolve: resolverOf([`127.0.0.1:${port}`]),
  });
  try {
    await serve('web A 127.0.0.21', 'web A 10.66.0.1');
    const pool = node.pool();
    node.monitor(pool, { path: '/health' });
    // Members of one port at different addresses.
    const listener = await node.listener({ defaultPool: pool.id });
    for (const { port: at } of webs) node.member(pool, at, { host: 'web.test' });
    const follow = async (wanted: string) =>
      waitFor(`only ${wanted}`, async () => {
        now += leastTtlMs;
        node.model();
        await names.resolveDue();
        expect((await node.apply()).reloaded).toBe(false);
        return (await tally(listener.port, 4)).get(wanted) === 4;
      });
    await node.start();
    await follow('127.0.0.21');
    await serve('web A 127.0.0.22');
    await follow('127.0.0.22');
  } finally {
    named?.kill('SIGKILL');
    await node.stop();
    for (const web of webs) await web.stop();
  }
}, 60_000);

test('found by reading: names with a silent server delay no other names', async () => {
  const silent = new Promise<readonly ResolvedAddress[]>(() => undefined);
  const names = await MemberNames.open({
    ...{ path: join(folder, 'names.json'), egress, ranges, log: createLogger({ level: 'silent', pretty: false }) },
    resolve: async (name) => (name.startsWith('silent') ? silent : [{ address: '127.0.0.7', ttlSeconds: 60 }]),
  });
  for (let index = 0; index < 200; index += 1) names.addressesOf(`silent-${index}.test`, 80, 'project');
  names.start();
  await waitFor('a name of somebody else', () => names.addressesOf('good.test', 80, 'project').length === 1);
  await names.stop();
});
