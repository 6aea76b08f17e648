// Runs etcd on one host of the trial, and restarts it whenever it ends. Arguments: the settings' file, the host
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { startEtcd } from '../../embedded/etcd.ts';
import { comeFirst } from '../../embedded/priority.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { supervise } from '../../embedded/supervise.ts';
import { members, type TrialSettings } from './settings.ts';

const [, , file = '', name = ''] = process.argv;
comeFirst();
const settings = JSON.parse(await readFile(file, 'utf8')) as TrialSettings;
const folder = await openDataFolder(join(settings.folder, name, 'etcd'), { version: 1 });
const files = await folder.subfolder('certificates', { forService: true });
const tls = { caFile: join(files, 'ca'), certificateFile: join(files, 'cert'), keyFile: join(files, 'key') };
for (const [path, text] of [
  [tls.caFile, settings.ca],
  [tls.certificateFile, settings.cert],
  [tls.keyFile, settings.key],
] as const) {
  await writeFile(path, text);
  await chmod(path, 0o600);
  const user = folder.serviceUser;
  if (user !== undefined) await runProgram('chown', [`${user.uid}:${user.gid}`, path]);
}
const { cluster } = settings;
await supervise('etcd', (signal) => startEtcd({ folder, log: silentLog, name, members, cluster, tls, signal }), {
  log: silentLog,
});
