// Addresses and folders of a device of the lab: its state file, from which the next start takes the same addresses, a free block of the
// loopback network, and folders of joined machines.
import { createHash, randomInt } from 'node:crypto';
import { lstat, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathExists } from '../embedded/find-program.ts';
import { type MachineFile, readMachineFile, writeMachineFile } from '../platform/machines/machine-file.ts';
import { writeWhole } from '../platform/secrets/key-file.ts';

const loopbackTries = 20;
const stateFile = 'state.json';

interface DeviceState {
  /** Path of the folder when this was written. */
  readonly folder?: string;
  /** The third number of its addresses. */
  readonly third?: number;
}

export async function readDeviceState(folder: string): Promise<DeviceState> {
  try {
    const { folder: ranIn, third } = JSON.parse(await readFile(join(folder, stateFile), 'utf8')) as {
      folder?: unknown;
      third?: unknown;
    };
    return {
      ...(typeof ranIn === 'string' ? { folder: ranIn } : {}),
      ...(Number.isInteger(third) && Number(third) >= 0 && Number(third) < 256 ? { third: Number(third) } : {}),
    };
  } catch {
    return {};
  }
}

/** `net`: the first 24 bits of its addresses. */
export async function writeDeviceState(folder: string, net: string): Promise<void> {
  await writeWhole(join(folder, stateFile), JSON.stringify({ folder, third: Number(net.split('.')[2]) }));
}

/** The device's folder, and its earlier place unless the folder was copied: processes at the old place then belong to that one. */
export async function foldersOf(folder: string): Promise<readonly string[]> {
  const { folder: earlier = folder } = await readDeviceState(folder);
  const isMoved = earlier !== folder && !(await pathExists(earlier));
  return isMoved ? [folder, earlier] : [folder];
}

/** Id for the names of its namespaces. */
export function idOf(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 6);
}

/** The first 24 bits of a free /24 in `block`, a /16 such as `127.79`. `isUsed` checks for other users. */
export async function freeLoopback(
  block: string,
  preferred: number | undefined,
  isFree: (net: string) => Promise<boolean>,
): Promise<string> {
  for (let tried = 0; tried < loopbackTries; tried += 1) {
    const net = `${block}.${tried === 0 && preferred !== undefined ? preferred : randomInt(256)}`;
    if (await isFree(net)) return net;
  }
  throw new Error(`no free /24 was found in ${block}.0.0/16 after ${loopbackTries} tries`);
}

export function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** Another user may have created it in /tmp. */
export async function makeOwn(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid } = await lstat(path);
  if (uid !== process.getuid?.()) throw new Error(`${path} belongs to another user`);
}

/** Creates the folder for a machine's credentials. The machine renews them itself: existing ones stay as long as they are valid here. */
export async function joinedFolder(
  folder: string,
  given: Omit<MachineFile, 'role' | 'endpoint'>,
  { role, endpoint }: Pick<MachineFile, 'role' | 'endpoint'>,
): Promise<string> {
  await makeOwn(folder);
  const kept = await readMachineFile(folder, role).catch(() => undefined);
  const isValid = kept?.authority === given.authority && Date.parse(kept.expiresAt) > Date.now();
  await writeMachineFile(folder, { ...(isValid ? kept : given), role, endpoint });
  return folder;
}
