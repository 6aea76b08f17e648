// Runs MariaDB with Galera on one host of the trial, and ends with it. Arguments: the settings' file, the host
// needs: galera-4, galera-arbitrator-4, mariadb-server-core, mariadb-client-core
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { groupOptions } from './galera.ts';
import { type DataHost, places } from './network.ts';
import { dataHosts } from './pair.ts';
import { mariadbPort } from './settings.ts';

const [, , file = '', me = ''] = process.argv;
const { folder } = JSON.parse(await readFile(file, 'utf8')) as { folder: string };
const home = join(folder, me);
const data = join(home, 'data');
const host = me as DataHost;
const saved = await readFile(join(data, 'grastate.dat'), 'utf8').catch(() => '');
// A new folder has no state yet. Otherwise the node that ended last, while the other was away, may bootstrap.
const isNew = saved === '' || saved.includes('safe_to_bootstrap: 1');
const nodes = dataHosts.map((each) => places[each]).join(',');
const flags = [
  ...['--no-defaults', '--user=root', `--datadir=${data}`, `--socket=${join(home, 'mysqld.sock')}`],
  ...[`--pid-file=${join(home, 'mariadbd.pid')}`, `--init-file=${join(folder, 'accounts.sql')}`],
  ...[`--bind-address=${places[host]}`, `--port=${mariadbPort}`, '--skip-name-resolve', '--max-connections=200'],
  ...['--binlog-format=ROW', '--innodb-autoinc-lock-mode=2', '--innodb-flush-log-at-trx-commit=1'],
  ...['--log-bin=binlog', '--log-slave-updates=ON', '--sync-binlog=1', `--server-id=${host === 'a' ? 1 : 2}`],
  ...['--innodb-buffer-pool-size=64M', '--innodb-log-file-size=32M'],
  ...['--wsrep-on=ON', '--wsrep-provider=/usr/lib/galera/libgalera_smm.so', '--wsrep-cluster-name=trial'],
  ...[`--wsrep-cluster-address=gcomm://${nodes}`, `--wsrep-node-address=${places[host]}`],
  // A node asks for a full copy only if it finds itself inconsistent. Otherwise the other node's cache contains the missing writes.
  ...['--wsrep-sst-method=trial', `--wsrep-node-name=${host}`, '--wsrep-slave-threads=4'],
  `--wsrep-node-incoming-address=${places[host]}`,
  `--wsrep-provider-options=${[...groupOptions, 'gcache.size=128M', `gmcast.listen_addr=tcp://${places[host]}:4567`].join(';')}`,
];
const recovered = isNew
  ? undefined
  : await runProgram('mariadbd', [...flags, '--wsrep-recover'], { timeoutMs: 120_000 });
const position = /Recovered position:\s*(\S+)/.exec(recovered?.stderr ?? '')?.[1];
// For the person who has to choose between two of them (GaleraSystem.recoverByHand).
if (position !== undefined) await writeFile(join(home, 'position'), position);
const server = spawn(
  ...endingWithParent('mariadbd', [
    ...flags,
    ...(isNew ? ['--wsrep-new-cluster'] : []),
    ...(position === undefined ? [] : [`--wsrep-start-position=${position}`]),
  ]),
  { stdio: 'inherit', env: { ...process.env, PATH: `${folder}:${process.env.PATH ?? ''}` } },
);
await once(server, 'exit');
