// What the part `balancers` gets from the control plane: where it is, and the credentials with which its hosts join. It is a file in the
// data folder, because the part may run as root and the control plane not: root reads it as a stranger's, and takes nothing from it but
// ports and credentials.
import { constants, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeKeyFile } from '../../platform/secrets/key-file.ts';
import { plainLabFolder } from '../folders.ts';
import { hostNames } from './plan.ts';

const port = z.number().int().min(1).max(65_535);
const text = z.string().max(10_000);
const credential = z.object({
  ...{ id: z.string().max(255), name: z.string().max(63) },
  ...{ token: text, certificate: text, key: text, authority: text, expiresAt: z.iso.datetime() },
});
const shape = z.object({
  /** On the loopback: the GraphQL endpoint, the place where hosts connect, and the DNS server. */
  ports: z.object({ endpoint: port, link: port, dns: port }),
  hosts: z.tuple([credential, credential]),
});

export type Given = z.output<typeof shape>;
export type HostCredential = z.output<typeof credential>;

const mostBytes = 64 * 1024;

const pathIn = (dataPath: string) => join(dataPath, plainLabFolder, 'balancers.given.json');

export function writeGiven(dataPath: string, given: Given): Promise<void> {
  return writeKeyFile(pathIn(dataPath), given);
}

export async function removeGiven(dataPath: string): Promise<void> {
  await rm(pathIn(dataPath), { force: true });
}

/** Undefined: there is none, or it is not one. Never follows a link, and never waits. */
export async function readGiven(dataPath: string): Promise<Given | undefined> {
  try {
    await using file = await open(pathIn(dataPath), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size } = await file.stat();
    if (size > mostBytes) return undefined;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(size), 0, size, 0);
    const given = shape.safeParse(JSON.parse(buffer.toString('utf8', 0, bytesRead)));
    return given.data?.hosts.length === hostNames.length ? given.data : undefined;
  } catch {
    return undefined;
  }
}
