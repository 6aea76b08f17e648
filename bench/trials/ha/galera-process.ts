// MariaDB with Galera on one host of the trial; ends with it. arguments: the settings' file, the host
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../../../embedded/find-program.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { groupOptions } from './galera.ts';
import { type DataHost, places } from './network.ts';
import { dataHosts } from './pair.ts';
import { mariadbPort } from './settings.ts';

const [, , file = '', me = ''] = process.argv;
const { folder } = JSON.parse(await readFile(file, 'utf8')) as { folder: string };
const home = join(folder, me);
const data = join(home, 'data');
const host = me as DataHost;
const isNew = host === 'a' && !(await pathExists(join(data, 'grastate.dat')));
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
  // A first copy is not needed, and later ones must not be: the caches are far larger than what an outage lasts.
  ...['--wsrep-sst-method=skip', `--wsrep-node-name=${host}`, '--wsrep-slave-threads=4'],
  `--wsrep-provider-options=${[...groupOptions, 'gcache.size=256M', `gmcast.listen_addr=tcp://${places[host]}:4567`].join(';')}`,
];
const recovered = isNew
  ? undefined
  : await runProgram('mariadbd', [...flags, '--wsrep-recover'], { timeoutMs: 120_000 });
const position = /Recovered position:\s*(\S+)/.exec(recovered?.stderr ?? '')?.[1];
const server = spawn(
  'setpriv',
  [
    ...['--pdeathsig', 'KILL', 'mariadbd', ...flags],
    ...(isNew ? ['--wsrep-new-cluster'] : []),
    ...(position === undefined ? [] : [`--wsrep-start-position=${position}`]),
  ],
  { stdio: 'inherit' },
);
await once(server, 'exit');
