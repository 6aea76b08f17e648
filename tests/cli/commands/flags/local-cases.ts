// Every option of the commands that need no endpoint, and of the lab commands. The lab's control is scripted, and its requests are compared.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { openDemoControl } from '../../../../lab/control-plane/control.ts';
import { demoFolderIn } from '../../../../lab/ha/places.ts';
import { programVersion } from '../../../../platform/process/program-version.ts';
import { makeKeys } from '../../../../platform/secrets/make-keys.ts';
import { carryOutTasks } from '../../../clients/support/check-tasks.ts';
import { freePort } from '../../../support/machine/free-port.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import type { FlagRun } from './flag-run.ts';

const inventory = join(import.meta.dirname, '../../../../docs/examples/inventory-subgraph/inventory.graphql');

const schema = join(import.meta.dirname, '../../../../schema/api.graphql');
const screen = join(import.meta.dirname, '../../../../docs/examples/screens/overview.graphql');

export async function localCases(run: FlagRun): Promise<void> {
  const { system, coverage } = run;
  const ok = (line: string) => coverage.succeeds(line);
  const config = `--config ${system.config}`;
  for (let times = 0; times < 2; times += 1) await ok(`migrate ${config}`);
  const { version } = await programVersion();
  expect(await ok(`upgrade ${config} --to ${version} --wait 60`)).toContain('"state":"FINISHED"');
  await ok(`upgrade ${config} --finish`);
  await coverage.ends(4, 'not finished within 1 s: next: restart', `upgrade ${config} --back --wait 1`);
  expect(await run.ok('processes')).toMatch(/"programVersion": "\d[^}]*"live": true/);
  expect(await ok(`grants rows@% ${config}`)).toContain('GRANT');
  expect(await ok(`doctor ${config}`)).toContain('nothing is wrong');
  const stores = 'database: { host: db.test }\nredis: { host: redis.test }\n';
  const host = '{ name: all, address: all.test, roles: [gateway, system, worker] }';
  await writeFile(system.path('hosts.yaml'), `url: https://tidegate.test/\n${stores}hosts: [${host}]\n`);
  expect(await ok(`setup --hosts ${system.path('hosts.yaml')} --to ${system.path('installation')}`)).toContain('.sql');
  expect(await ok(`audit export ${config} --from 2026-01-01 --to 2100-01-01`)).toContain('"hash"');
  expect(await ok(`audit export ${config} --to 2026-01-01`)).toBe('');
  await ok(`audit sign ${config}`);
  await run.ok('audit verify');
  await waitFor('a kept end', async () => (await readFile(system.anchorFile, 'utf8').catch(() => '')) !== '');
  await run.ok(`explain ${screen} --operation Overview --variables {}`);
  await run.ok(`published add ${screen}`);
  const [hash = ''] = /[0-9a-f]{64}/.exec(await run.ok('published list')) ?? [];
  await run.ok(`published check ${schema}`);
  await run.ok(`published remove ${hash}`);
  expect(await run.ok('reload')).toContain('"changed": false');
  await run.ok(`audit verify --anchor ${system.anchorFile}`);
  await ok(`clock show ${config}`);
  await ok(`subgraphs check ${inventory}`);
  expect(await ok('subgraphs base')).toContain('type Project @key');
  await ok(`clock accept ${config}`);

  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const checked = ok(`check-client ${origin} --row device-refuses`);
  await waitFor('the check', async () => (await fetch(origin).catch(() => undefined))?.ok);
  await carryOutTasks(origin);
  expect(JSON.parse(await checked)).toEqual([{ row: 'device-refuses', isPassed: true, faults: [] }]);

  const keys = system.path('more-keys');
  await makeKeys(keys);
  await ok(`keys create ${keys}`);
  await ok(`keys rotate ${join(keys, 'sealing.keys')} ${config} --without away`);
  await ok(`keys list ${join(keys, 'sealing.keys')}`);
  await ok(`keys reseal ${system.keyFile('sealing')} ${config} --older`);
  await coverage.ends(1, '/nowhere', `keys rotate ${join(keys, 'gateway.keys')} --config /nowhere`);

  await backupCases(run, keys);
  expect(JSON.parse(await run.ok('top --json'))).toMatchObject({
    domains: expect.any(Array),
    needs: expect.any(Array),
  });
  await coverage.ends(64, 'top needs a terminal', 'top');
  await contextCases(run);
  await coverage.ends(1, 'there is no place for contexts', 'demo --context nowhere');
  expect(await ok('complete')).toContain('complete -F _tidegate tidegate');
  for (const shell of ['bash', 'zsh', 'fish']) expect(await ok(`complete ${shell}`)).toContain('_tidegate_table');
  const printed = await ok(
    `serve --print-config --quiet --roles gateway --set listen.port=4001 --log-level warn --as-root ${config}`,
  );
  expect(printed).toMatch(/^listen\.port: 4001$/m);
  expect(printed).toMatch(/^log\.level: "warn"$/m);
  const up = await ok(
    `up --print-config --port 4002 --host 127.0.0.2 --data ${system.path('up')} ${config} --no-lab --no-install --as-root --log-level error`,
  );
  expect(up).toMatch(/^listen\.port: 4002$/m);
  expect(up).toMatch(/^listen\.host: "127.0.0.2"$/m);
  await ok(`up --print-config --show-log --lab all --data ${system.path('up')}`);
  await labCases(run);
}

/** Its database has no binary log, and its account no rights for backups. */
async function backupCases({ system, coverage }: FlagRun, keys: string): Promise<void> {
  const recipient = (await coverage.succeeds(`backup key ${system.path('backup.key')}`)).trim();
  const passphrase = system.path('passphrase');
  await writeFile(passphrase, 'correct horse battery staple');
  const limits = '--every 24 --keep 2 --keep-days 3 --mebi-per-second 50 --check-in backup';
  const account = `--database-user nobody --database-password-file ${passphrase}`;
  const escrow = `--keys-to ${system.path('escrow')} --keys-passphrase-file ${passphrase}`;
  await coverage.ends(
    1,
    "run this on the database's host",
    `backup create --to ${system.path('backups')} --recipient ${recipient} ${limits} ${account} ${escrow} --json --config ${system.config}`,
  );
  await coverage.ends(64, 'need each other', `backup create --to x --recipient y --schedule --keys-to z`);
  const opening = `--keys-folder ${keys} --identity ${system.path('backup.key')} --json`;
  await coverage.ends(1, 'has no backup', `backup verify ${system.path('backups')} ${opening}`);
  const to = `--to ${system.path('restored')} --at 2026-01-01`;
  await coverage.ends(1, 'has no backup', `restore ${system.path('backups')} ${to} ${opening}`);
  const again = `--to ${system.path('keys-again')} --keys-passphrase-file ${passphrase}`;
  await coverage.ends(1, 'is missing', `keys restore ${system.path('escrow.age')} ${again}`);
}

/** Logins at the server, in a separate home folder. */
async function contextCases({ system, coverage }: FlagRun): Promise<void> {
  const env = { XDG_CONFIG_HOME: system.path('home') };
  const ok = (line: string) => coverage.succeeds(line, env);
  const admin = `--user admin --password-file ${system.passwordFile}`;
  await ok(`login ${system.url} ${admin} --as one`);
  await ok(`login ${system.url} ${admin} --as two --keep-chosen --insecure`);
  for (let times = 0; times < 2; times += 1) expect(await ok('contexts list')).toContain('two');
  for (let times = 0; times < 2; times += 1) await ok('contexts use two');
  expect(await ok('backends list')).not.toBe('');
  await ok('complete-names projects --begin def --line backends');
  expect(await ok(`complete-names contexts --line x`)).toBe('one\ntwo\n');
  for (let times = 0; times < 2; times += 1) await ok('contexts leave');
  await ok('contexts delete one');
  await ok('contexts delete two --forget-only');
}

async function labCases({ system, coverage }: FlagRun): Promise<void> {
  const asked: string[] = [];
  const note = (...words: readonly (string | number | boolean)[]) => {
    asked.push(words.join(' '));
    return Promise.resolve();
  };
  const folder = demoFolderIn(system.path('lab'));
  await mkdir(folder, { recursive: true });
  const control = await openDemoControl(folder, system.path('lab.sock'), {
    list: () => [
      {
        part: 'bigip',
        state: 'RUNNING',
        backend: 'lab-bigip',
        driver: 'bigip',
        address: null,
        trouble: 'none',
        note: '',
      },
    ],
    hosts: () => [{ name: 'a', part: 'ha', state: 'running', address: '198.19.0.1', namespace: null, note: '' }],
    add: (part) => note('add', part),
    remove: (part, orphan) => note('remove', part, orphan),
    trouble: (part, trouble) => note('trouble', part, trouble),
    act: (act, host) => note(act, host),
    fault: (fault, host) => note(fault, host),
    cut: (one, other) => note('cut', one, other),
    skew: (host, seconds) => note('skew', host, seconds),
  });
  try {
    const data = `--data ${system.path('lab')}`;
    const lab = (words: string) => coverage.succeeds(`lab ${words} ${data}`);
    for (const options of ['', '--json']) expect(await coverage.succeeds(`lab clean ${options}`.trim())).not.toBe('');
    for (const verb of ['list', 'hosts']) expect(await lab(verb)).not.toBe('');
    await lab('add bigip --no-install');
    await lab('trouble bigip hang');
    await lab('remove bigip --orphan-mappings');
    for (const act of [
      'unplug a',
      'plug a',
      'kill a',
      'freeze a',
      'cut a b',
      'fill-disk a',
      'freeze-disk a',
      'skew a 5',
    ])
      await lab(act);
    expect(asked).toEqual([
      ...[
        'add bigip',
        'trouble bigip hang',
        'remove bigip true',
        'unplug a',
        'plug a',
        'kill a',
        'freeze a',
        'cut a b',
      ],
      ...['fill-disk a', 'freeze-disk a', 'skew a 5'],
    ]);
  } finally {
    await control.stop();
  }
}
