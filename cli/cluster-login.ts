// The login at a cluster of object storage: its token, purpose and scope, in a file of the data folder that only its owner can read.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../platform/secrets/key-file.ts';
import { jsonIn } from '../platform/values/json.ts';
import { CommandFailure } from './failures.ts';

const clusterShape = z.object({ name: z.string(), urls: z.array(z.string()) });

/** A cluster's answer to a login. */
export const loginShape = z.object({
  token: z.string().min(1),
  expiresAt: z.iso.datetime(),
  user: z.string(),
  projects: z.array(z.object({ name: z.string(), id: z.string(), account: z.string(), canWrite: z.boolean() })),
  clusters: z.array(clusterShape),
});

const fileShape = loginShape.extend({
  /** The cluster of the login. */
  at: clusterShape,
});
export type ClusterLogin = z.output<typeof fileShape>;

const fileName = 'cluster-login.json';
const usualFolder = '.tidegate';

/** Throws CommandFailure when nobody has logged in, or the token has expired. */
export async function readLogin(data: string | undefined): Promise<ClusterLogin> {
  const path = join(data ?? usualFolder, fileName);
  const found = await readFile(path, 'utf8').catch(() => undefined);
  if (found === undefined)
    throw new CommandFailure(
      `no login at a cluster (no ${path} here): tidegate login --cluster NAME or URL. Administrators list the clusters with tidegate clusters list; if there is none, tidegate lab add clusters starts some to try`,
    );
  const login = fileShape.safeParse(jsonIn(found));
  if (!login.success)
    throw new CommandFailure(`${path} is not a login: log in again with tidegate login --cluster NAME`);
  if (Date.parse(login.data.expiresAt) <= Date.now())
    throw new CommandFailure(
      `the login of ${login.data.user} has expired: tidegate login --cluster ${login.data.at.name}`,
    );
  return login.data;
}

/** The clusters that an earlier login listed. The login may have expired. */
export async function knownClusters(data: string | undefined): Promise<ClusterLogin['clusters']> {
  const found = await readFile(join(data ?? usualFolder, fileName), 'utf8').catch(() => '');
  return fileShape.safeParse(jsonIn(found)).data?.clusters ?? [];
}

/** Returns the path of the file. */
export async function writeLogin(data: string | undefined, login: ClusterLogin): Promise<string> {
  const folder = data ?? usualFolder;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, fileName);
  await writeWhole(path, `${JSON.stringify(login, null, 2)}\n`);
  return path;
}
