// The target at an address: a folder, or `s3://BUCKET/PREFIX`.
import { fault } from './faults.ts';
import { FolderTarget } from './folder-target.ts';
import { S3Client } from './s3-client.ts';
import { s3Settings } from './s3-settings.ts';
import { S3Target } from './s3-target.ts';
import type { BackupTarget } from './target.ts';

/** `env`: has the settings of the object store. Nothing is connected. Throws BackupFaults. */
export async function targetAt(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<BackupTarget> {
  if (/^s3:\/\//i.test(address)) return new S3Target(new S3Client(await s3Settings(address, env)));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address))
    fault(`${address} is neither a folder nor s3://BUCKET/PREFIX: give one of them`);
  return new FolderTarget(address);
}
