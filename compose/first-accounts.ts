// The accounts of a first start: the administrator's password and an operator's API token, each in a file of the data folder
// that only its owner can read.
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Access } from '../platform/process/subgraph-row.ts';

export interface FirstAccounts {
  readonly passwordFile: string;
  readonly tokenFile: string;
  /** The API token in the token file: operator of the project `default`. */
  readonly token: string;
  /** UUID of the project `default`. */
  readonly projectId: string;
}

/** Creates missing accounts. A second start finds all of them. */
export async function firstAccounts(access: Access, folder: string): Promise<FirstAccounts> {
  const passwordFile = join(folder, 'admin.password');
  const tokenFile = join(folder, 'admin.token');
  // The file comes first: after a kill between file and account, the next start finds the file and makes the account.
  const password = await readOrMake(passwordFile, () => randomBytes(18).toString('base64url'));
  await access.firstStart.bootstrap({ adminName: 'admin', adminPassword: password });
  const projectId = await access.firstStart.ensureProject('default', 'Default project');
  const known = await firstLine(tokenFile);
  if (known !== '' && (await access.authenticator.authenticate(known)) !== undefined)
    return { passwordFile, tokenFile, token: known, projectId };
  const { secret } = await access.firstStart.issueToken({ projectId, name: 'admin', role: 'OPERATOR' });
  await writeFile(tokenFile, `${secret}\n`, { mode: 0o600 });
  return { passwordFile, tokenFile, token: secret, projectId };
}

async function readOrMake(path: string, make: () => string): Promise<string> {
  const known = await firstLine(path);
  if (known !== '') return known;
  const made = make();
  await writeFile(path, `${made}\n`, { mode: 0o600 });
  return made;
}

function firstLine(path: string): Promise<string> {
  return readFile(path, 'utf8').then(
    (text) => text.split('\n', 1)[0] ?? '',
    () => '',
  );
}
