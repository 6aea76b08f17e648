// Data that a device gets from the control plane: its addresses, and the credentials with which its machines join. It is a file in the data
// folder, because the device may run as root and the control plane may not: root treats it as untrusted, and takes nothing from it but ports
// and credentials.
import { constants, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeKeyFile } from '../platform/secrets/key-file.ts';
import type { DeviceName } from './device.ts';
import { plainLabFolder } from './folders.ts';

const text = z.string().max(10_000);
export const givenPort = z.number().int().min(1).max(65_535);
export const givenCredential = z.object({
  ...{ id: z.string().max(255), name: z.string().max(63) },
  ...{ token: text, certificate: text, key: text, authority: text, expiresAt: z.iso.datetime() },
});
export type GivenCredential = z.output<typeof givenCredential>;

const mostBytes = 64 * 1024;

export class GivenFile<Given extends object> {
  readonly #device: DeviceName;
  readonly #shape: z.ZodType<Given>;

  constructor(device: DeviceName, shape: z.ZodType<Given>) {
    this.#device = device;
    this.#shape = shape;
  }

  write(dataPath: string, given: Given): Promise<void> {
    return writeKeyFile(this.#pathIn(dataPath), given);
  }

  async remove(dataPath: string): Promise<void> {
    await rm(this.#pathIn(dataPath), { force: true });
  }

  /** Undefined if there is no such file, or it is malformed. Never follows a link, and never waits. */
  async read(dataPath: string): Promise<Given | undefined> {
    try {
      await using file = await open(
        this.#pathIn(dataPath),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
      const { size } = await file.stat();
      if (size > mostBytes) return undefined;
      const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size, 0);
      return this.#shape.safeParse(JSON.parse(buffer.toString('utf8', 0, bytesRead))).data;
    } catch {
      return undefined;
    }
  }

  #pathIn(dataPath: string): string {
    return join(dataPath, plainLabFolder, `${this.#device}.given.json`);
  }
}
