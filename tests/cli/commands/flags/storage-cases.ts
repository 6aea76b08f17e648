// Every option of the commands for object storage, with a real cluster, north, and a cluster that never connects, south.
import { readFile, writeFile } from 'node:fs/promises';
import { freePort } from '../../../support/machine/free-port.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import { runCommand } from '../run-command.ts';
import type { FlagRun } from './flag-run.ts';

const wait = '--wait 60';

export async function storageCases({ system, ok, coverage, env }: FlagRun): Promise<void> {
  const at = { peer: await freePort(), controller: await freePort(), s3: await freePort() };
  const place = (zone: string, { peer, controller, s3 }: typeof at) =>
    `--zone ${zone} --weight 100 --site attic --peer-url https://127.0.0.1:${peer} --controller-url https://127.0.0.1:${controller} --s3-url http://127.0.0.1:${s3}`;
  await ok(`clusters add north ${place('attic', at)} ${wait}`);
  const settings = await system.startCluster('north', at);
  const measured = ok(`clusters measure --config ${settings}`);
  await ok(`options create usual --replicas 1 --cluster north --nearest-reads --as-default ${wait}`);
  await ok(`options create other --replicas 1`);
  await ok(`options update other --replicas 1 --cluster north --nearest-reads --rename another ${wait}`);
  await ok(`options update another --as-default`);
  await ok(`options update usual --as-default`);
  await ok('options list');
  await waitFor('the controller', async () => (await ok('clusters show north --json')).includes('"objectserver"'));
  await ok('clusters lag');
  await ok('clusters list');
  await ok('clusters drain-service north north-1 --role objectresolver');
  await ok('clusters drain-service north north-1 --role objectresolver --undo');
  await coverage.ends(1, 'stop it first', 'clusters remove-service north north-1 --role objectresolver --json', env);

  const data = `--data ${system.path('cli')}`;
  const operator = { TIDEGATE_URL: system.url, TIDEGATE_TOKEN: system.token };
  const asOperator = (line: string) => coverage.succeeds(line, operator);
  const login = `login --cluster http://127.0.0.1:${at.s3} --project default ${data}`;
  const isIn = async () => (await runCommand(login.split(' '), { env: operator })).exitCode === 0;
  await waitFor('logins to work', isIn);
  await asOperator(login);
  await writeFile(system.path('operator.token'), system.token, { mode: 0o600 });
  await coverage.succeeds(`${login} --token-file ${system.path('operator.token')}`);
  await asOperator(`login --cluster north ${data} --url ${system.url}`);
  await coverage.ends(1, 'BAD_CREDENTIALS', `${login} --user admin --password-file ${system.path('operator.token')}`);
  const config = { XDG_CONFIG_HOME: system.path('config') };
  const context = `--context operator --cluster north ${data}`;
  await coverage.succeeds(`login ${system.url} --token-file ${system.path('operator.token')} --as operator`, config);
  await coverage.succeeds(`login ${context}`, config);
  const cluster = `--cluster north --project default ${data}`;
  const [file, copy] = [system.path('cat.jpg'), system.path('copy.jpg')];
  await writeFile(file, 'of a cat');
  await asOperator(`containers create photos --option usual ${cluster}`);
  const graph = `--url ${system.url} --token-file ${system.path('operator.token')}`;
  await coverage.succeeds(`containers create tenant --cmp tenant/42 --project default ${data} ${graph} ${wait}`);
  const admin = `--user admin --password-file ${system.passwordFile}`;
  await coverage.succeeds(
    `containers create other --cmp tenant/44 --project default ${data} --context operator`,
    config,
  );
  await coverage.succeeds(`containers create spare --cmp tenant/43 ${data} --url ${system.url} ${admin} --insecure`);
  await asOperator(`containers list ${cluster}`);
  const how = '--option usual --content-type image/jpeg --metadata who=me';
  await asOperator(`objects create photos/cat.jpg ${file} ${how} ${cluster}`);
  await asOperator(`objects update photos/cat.jpg ${file} ${how} ${cluster}`);
  await asOperator(`objects list photos --prefix c --delimiter / --limit 3 ${cluster}`);
  await waitFor('the nearest answer', async () => {
    const seen = await runCommand(`objects stat photos/cat.jpg --nearest ${data}`.split(' '), {});
    return seen.exitCode === 0;
  });
  await asOperator(`objects stat photos/cat.jpg --nearest ${cluster}`);
  await asOperator(`objects locate photos/cat.jpg ${cluster}`);
  await asOperator(`objects download photos/cat.jpg ${copy} --nearest ${cluster}`);
  if ((await readFile(copy, 'utf8')) !== 'of a cat') throw new Error('another object was downloaded');
  await asOperator(`objects url photos/cat.jpg --seconds 60 --cluster north --project default`);
  await asOperator(`objects url photos/dog.jpg --upload --project default`);
  await asOperator(`access-keys create backup --read-only --project default ${wait}`);
  const keys = await asOperator('access-keys list --project default --json');
  const [{ accessKeyId = '' } = {}] = JSON.parse(keys) as readonly { readonly accessKeyId: string }[];
  await asOperator(`access-keys revoke ${accessKeyId} ${wait}`);

  await measured;
  await waitFor(
    'the measured disk',
    async () => !(await ok('clusters show north --json')).includes('"measured": null'),
  );
  for (const preset of ['optimize_big', 'ECONOMY_BIG', 'optimize_small', 'economy_small'])
    await ok(`options create ${preset.toLowerCase()} --replicas 1 --preset ${preset}`);
  await ok('options delete economy_small');
  await ok(`options keep economy_small ${wait}`);
  await ok(`options delete economy_small ${wait}`);

  const other = { peer: await freePort(), controller: await freePort(), s3: await freePort() };
  await ok(`clusters add south ${place('cellar', other)}`);
  await ok(`clusters update south ${place('roof', other)} --rename souths --state draining ${wait}`);
  await ok('clusters update souths --state ACTIVE');
  await system.startSilentController('souths');
  await waitFor('its controller', async () => !(await ok('clusters list')).includes('not heard'));
  await ok('rings list');
  await ok('rings preview another');
  await ok('options update another --replicas 2 --cluster north --cluster souths');
  await ok('rings change another');
  await ok('rings changes');
  for (const verb of ['pause', 'resume']) await ok(`rings ${verb} another`);
  await ok('rings cancel another --wait 30');
  await ok('options update another --replicas 1 --cluster north');
  await coverage.ends(1, 'no copy is left', 'rings change another --recover north', env);
  await ok(`rings change usual ${wait}`);
  await ok('clusters update souths --state DRAINING');
  await ok(`clusters remove souths ${wait}`);
  await asOperator(`objects delete photos/cat.jpg ${cluster}`);
  await asOperator(`containers delete photos ${cluster}`);
}
