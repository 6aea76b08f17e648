// The identity of a device of the lab: its SSH host key, the only key that may log in, and its machine id. They stay in the lab's
// folder, so that a pinned host key is still right after a restart.
// needs: openssh-client

import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../embedded/find-program.ts';
import { runProgram } from '../embedded/run-program.ts';

export interface LabKeys {
  readonly privateKeyPath: string;
  /** In the format of `ssh-keygen -l`: `SHA256:` and 43 characters of unpadded base64. */
  readonly hostKeySha256: string;
}

export async function ensureKeys(folder: string): Promise<LabKeys> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const hostKeyPath = join(folder, 'host_key');
  const privateKeyPath = join(folder, 'netops');
  await ensureKey(hostKeyPath, 'lab-firewall');
  await ensureKey(privateKeyPath, 'netops');
  await copyFile(`${privateKeyPath}.pub`, join(folder, 'authorized_keys'));
  await ensureMachineId(join(folder, 'machine-id'));
  const [, blob = ''] = (await readFile(`${hostKeyPath}.pub`, 'utf8')).split(' ');
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64');
  return { privateKeyPath, hostKeySha256: `SHA256:${digest.replace(/=+$/, '')}` };
}

/** The device's own, not this machine's: 128 bits in hexadecimal, machine-id(5). */
async function ensureMachineId(path: string): Promise<void> {
  if (!(await pathExists(path))) await writeFile(path, `${randomBytes(16).toString('hex')}\n`);
}

async function ensureKey(path: string, comment: string): Promise<void> {
  if ((await pathExists(path)) && (await pathExists(`${path}.pub`))) return;
  await rm(path, { force: true });
  const made = await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path]);
  if (made.exitCode !== 0) throw new Error(`ssh-keygen could not create ${path}: ${made.stderr.trim()}`);
}
