// The accounts of a first start: the administrator's password and an operator's API token, each in a file of the data folder
// that only its owner can read.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningProcess } from './process.ts';

export interface FirstAccounts {
  readonly passwordFile: string;
  readonly tokenFile: string;
  /** The API token in the token file. */
  readonly token: string;
  /** UUID of the project `default`. */
  readonly projectId: string;
}

/** Makes what is missing; the second start finds all of it. */
export async function firstAccounts(running: RunningProcess, folder: string): Promise<FirstAccounts> {
  const system = running.system;
  if (system === undefined) throw new Error('first accounts need the role system');
  const passwordFile = join(folder, 'admin.password');
  const tokenFile = join(folder, 'admin.token');
  const { password } = await system.firstStart.bootstrap({ adminName: 'admin' });
  if (password !== undefined) await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  const projectId = await system.firstStart.ensureProject('default', 'Made at the first start.');
  const known = await readFile(tokenFile, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  if (known !== '' && (await system.authenticator.authenticate(known)) !== undefined)
    return { passwordFile, tokenFile, token: known, projectId };
  const { secret } = await system.firstStart.issueToken({ projectId, name: 'admin', role: 'OPERATOR' });
  await writeFile(tokenFile, `${secret}\n`, { mode: 0o600 });
  return { passwordFile, tokenFile, token: secret, projectId };
}
