// Makes the first accounts with the code of another release, in a process of its own: `first-start.ts RELEASE SETTINGS FOLDER`. Prints them as JSON.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createLogger } from '../../platform/log/log.ts';

const [release = '', settings = '', folder = ''] = process.argv.slice(2);
const load = (file: string) => import(pathToFileURL(join(release, file)).href);
const [{ startProcess }, { firstAccounts }, { readConfig }, { subgraphRows }] = await Promise.all(
  ['compose/process.ts', 'compose/first-accounts.ts', 'platform/process/config.ts', 'subgraphs/rows.ts'].map(load),
);
const flags = JSON.parse(await readFile(settings, 'utf8')) as Record<string, string>;
const config = readConfig({ flags: { ...flags, roles: 'system' } }, subgraphRows);
const running = await startProcess(config, createLogger({ level: 'silent', pretty: false }));
const accounts = JSON.stringify(await firstAccounts(running.access, folder));
await running.stop();
process.stdout.write(accounts);
