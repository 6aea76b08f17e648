// The keys of a host that joins, kept until all of its files are written: after an interruption the same command continues, even if the token was
// used.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type MachineKeys, newMachineKeys } from '../../platform/machines/machine-keys.ts';
import { writeKeyFile } from '../../platform/secrets/key-file.ts';
import { keptIn } from '../mark-file.ts';
import { ownFolder } from './host-file.ts';
import { hashOf } from './join-token.ts';

interface JoiningKeys {
  readonly own: MachineKeys;
  /** Decrypts the key files of the first host. */
  readonly exchange: MachineKeys;
  /** Keys of `tidegate serve`. */
  readonly serving: MachineKeys;
}

const pair = z.object({ publicKey: z.string(), privateKey: z.string() });
const shape = z.object({ tokenSha256: z.string(), own: pair, exchange: pair, serving: pair });

/** Keys of an earlier try with this token, or new ones. */
export async function joiningKeys(dataPath: string, token: string): Promise<JoiningKeys> {
  const path = join(await ownFolder(dataPath), 'joining.json');
  const tokenSha256 = hashOf(token);
  const kept = await keptIn(path, shape);
  if (kept?.tokenSha256 === tokenSha256) return kept;
  const [own, exchange, serving] = [await newMachineKeys(), await newMachineKeys(), await newMachineKeys()];
  const made = { own, exchange, serving };
  await writeKeyFile(path, { tokenSha256, ...made });
  return made;
}

/** Called when the host file has everything that it needs from these keys. */
export async function forgetJoining(dataPath: string): Promise<void> {
  await rm(join(await ownFolder(dataPath), 'joining.json'), { force: true });
}
