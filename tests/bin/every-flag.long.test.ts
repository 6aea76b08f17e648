// Runs every option of every command, and every value of an option with fixed values, once. It uses the program's own entry, against a
// system of real parts (commands/flags/flag-system.ts). The cases are read from the table of commands (cli/table.ts), from which help and
// completion are generated too. The commands themselves record which cases have run. A command or an option that no case runs fails the
// last test: add it to the cases in commands/flags/, in the file of its subject.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { balancerCases } from '../cli/commands/flags/balancer-cases.ts';
import { FlagCoverage } from '../cli/commands/flags/coverage.ts';
import type { FlagRun } from '../cli/commands/flags/flag-run.ts';
import { FlagSystem } from '../cli/commands/flags/flag-system.ts';
import { gslbCases } from '../cli/commands/flags/gslb-cases.ts';
import { haCases } from '../cli/commands/flags/ha-cases.ts';
import { kindCases } from '../cli/commands/flags/kind-cases.ts';
import { localCases } from '../cli/commands/flags/local-cases.ts';
import { relayCases } from '../cli/commands/flags/relay-cases.ts';
import { storageCases } from '../cli/commands/flags/storage-cases.ts';
import { patience } from '../support/machine/patience.ts';

/** These are not run here, because each needs root and its own lab. The named test runs it. */
const elsewhere: Readonly<Record<string, string>> = {
  'up --ha': 'tests/bin/ha-demo.long.test.ts',
  'lab load': 'tests/bin/support/ha-demo.ts',
  'lab load --seconds': 'tests/bin/support/ha-demo.ts',
  'lab load --clients': 'tests/bin/support/ha-demo.ts',
  'lab load --hosts': 'tests/bin/support/ha-demo.ts',
  'lab load --data': 'tests/bin/support/ha-demo.ts',
  'lab load --json': 'tests/bin/support/ha-demo.ts',
  'demo --acts': 'tests/bin/demo.long.test.ts',
  'demo --no-install': 'tests/bin/demo.long.test.ts',
  'demo --keep-lab': 'tests/bin/demo.long.test.ts',
  'demo --project': 'tests/bin/demo.long.test.ts',
  'demo --json': 'tests/bin/demo.long.test.ts',
  'demo --url': 'tests/bin/demo.long.test.ts',
  'demo --data': 'tests/bin/demo.long.test.ts',
  'demo --token-file': 'tests/bin/demo.long.test.ts',
  'demo --user': 'tests/bin/demo.long.test.ts',
  'demo --password-file': 'tests/bin/demo.long.test.ts',
  'demo --insecure': 'tests/bin/demo.long.test.ts',
  'setup --admin': 'tests/docs/first-hour.long.test.ts',
  'lab exec': 'tests/lab/balancers.long.test.ts',
  'lab exec --data': 'tests/lab/balancers.long.test.ts',
};

const coverage = new FlagCoverage();
let system: FlagSystem;
let run: FlagRun;

beforeAll(async () => {
  await coverage.watch();
  system = await FlagSystem.prepare();
  await mkdir(system.machines, { mode: 0o700 });
  for (const role of ['loadbalancer', 'object-storage', 'gslb'])
    await coverage.succeeds(
      `machines issue ${role}-1 --role ${role} --folder ${system.machines} --endpoint ${system.url} --config ${system.config}`,
    );
  await system.start();
  const password = (await readFile(system.passwordFile, 'utf8')).trim();
  const { login } = await system.ask<{ login: { accessToken: string } }>(
    'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }',
    { input: { name: 'admin', password } },
  );
  const env = { TIDEGATE_URL: system.url, TIDEGATE_TOKEN: login.accessToken };
  run = { coverage, system, env, ok: (line) => coverage.succeeds(line, env) };
}, 60_000 * patience);
afterAll(() => system?.stop(), 60_000 * patience);

test(
  'every command accepts each of its options and each of their values',
  async () => {
    const groups = [relayCases, balancerCases, storageCases, gslbCases, localCases];
    const ended = await Promise.allSettled(groups.map((group) => group(run)));
    // Without the host from the other cases, no load balancer gets a node. On a busy machine, etcd members can seem silent to each other.
    for (const group of [kindCases, haCases]) ended.push(...(await Promise.allSettled([group(run)])));
    coverage.expectNoFaults();
    expect(ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))).toEqual([]);
  },
  180_000 * patience,
);

test('every command that calls a running Tidegate uses each option of the connection', async () => {
  const connection: readonly (readonly [given: string, exitCode: number, said: string])[] = [
    ['--url http://127.0.0.1:1/graphql', 3, "http://127.0.0.1:1 can't be reached"],
    ['--insecure --url http://127.0.0.1:1/graphql', 3, "http://127.0.0.1:1 can't be reached"],
    ['--url http://192.0.2.1/graphql', 1, 'give --insecure'],
    ['--context nowhere', 1, 'there is no place for contexts'],
    ['--token-file /nowhere/token', 1, "/nowhere/token can't be read"],
    ['--data /nowhere', 1, 'no /nowhere/admin.token here'],
    ['--user admin --password-file /nowhere/password', 1, "/nowhere/password can't be read"],
  ];
  // They take other steps before the graph, so they run with these options among the cases.
  const others = ['login', 'join', 'containers create', 'demo'];
  for (const [name, { options }] of coverage.verbs) {
    if (options.url === undefined || others.includes(name)) continue;
    const args = coverage.firstArgs.get(name) ?? [];
    for (const [given, exitCode, said] of connection) {
      const env = given.startsWith('--data') ? { TIDEGATE_URL: system.url } : run.env;
      await coverage.ends(exitCode, said, [...args, ...given.split(' ')], env);
    }
  }
  coverage.expectNoFaults();
});

test('everything in the table of commands is covered', async () => {
  expect(coverage.missing().sort()).toEqual(Object.keys(elsewhere).sort());
  for (const [name, file] of Object.entries(elsewhere)) {
    const text = await readFile(join(import.meta.dirname, '../..', file), 'utf8');
    const [, verb = '', option] = /^(?:lab )?(\S+)(?: --(\S+))?$/.exec(name) ?? [];
    expect([file, text]).toEqual([file, expect.stringContaining(option ?? verb)]);
  }
});
