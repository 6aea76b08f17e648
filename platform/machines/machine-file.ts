// A machine's data on disk: one file for each role, so that it is replaced as a whole. It contains the private key.
import { join } from 'node:path';
import { z } from 'zod';
import { readKeyFile, writeKeyFile } from '../secrets/key-file.ts';

const shape = z.object({
  /** Global id. */
  id: z.string().max(255),
  name: z.string().max(63),
  role: z.string().max(63),
  /** URL of the public endpoint, where revocations are asked for and credentials renewed. */
  endpoint: z.url({ protocol: /^https?$/ }),
  /** PEM: the authority of the endpoint's certificate. If absent, an authority that the system trusts must have signed it. */
  endpointCa: z.string().optional(),
  token: z.string(),
  expiresAt: z.iso.datetime(),
  /** PEM. */
  certificate: z.string(),
  /** PEM (PKCS #8). */
  key: z.string(),
  /** PEM. */
  authority: z.string(),
});

export type MachineFile = z.output<typeof shape>;

export function machineFilePath(folder: string, role: string): string {
  return join(folder, `${role}.json`);
}

/** Throws when the file is missing, readable by others, or incomplete. */
export function readMachineFile(folder: string, role: string): Promise<MachineFile> {
  return readKeyFile(machineFilePath(folder, role), shape);
}

export function writeMachineFile(folder: string, file: MachineFile): Promise<void> {
  return writeKeyFile(machineFilePath(folder, file.role), file);
}
