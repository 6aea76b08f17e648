// The list of certificates that etcd refuses, those of hosts that have left. Making it takes several runs of openssl, so it is made only when it
// changes: an agent that restarts renews its lease after this.

import { readFile } from 'node:fs/promises';
import type { EtcdTls } from '../../embedded/etcd.ts';
import type { ServiceUser } from '../../embedded/service-account.ts';
import { makeRefusedList } from '../../platform/net/certificates.ts';
import { fileExists, writeWhole } from '../../platform/secrets/key-file.ts';

/** Readable by `user`. */
export async function writeRefused(
  { refusedFile }: Pick<EtcdTls, 'refusedFile'>,
  serials: readonly string[],
  user: ServiceUser | undefined,
): Promise<void> {
  if (refusedFile === undefined) return;
  const [listed, text] = [`${refusedFile}.serials`, `${serials.toSorted().join('\n')}\n`];
  const isSame = (await readFile(listed, 'utf8').catch(() => undefined)) === text;
  if (isSame && (await fileExists(refusedFile))) return;
  await writeWhole(refusedFile, await makeRefusedList(serials), 0o600, user);
  await writeWhole(listed, text, 0o600);
}
