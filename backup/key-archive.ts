// The key files of an installation in one file, under a passphrase: without them the secrets in a restored database can't be read.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Decrypter, Encrypter } from 'age-encryption';
import { z } from 'zod';
import { fingerprint } from '../ha/agent/key-fingerprints.ts';
import { fillFolder, requireEmpty } from './empty-folder.ts';
import { fault, isMissingFile } from './faults.ts';
import { syncFolder } from './place.ts';

const contentShape = z.object({
  format: z.literal(1),
  /** Text by name. */
  files: z.record(z.string().regex(/^[a-z]+\.(?:keys|pem|key)$/), z.string()),
});
const isKeyFile = (name: string) => /^[a-z]+\.(?:keys|pem|key)$/.test(name);

/**
 * Writes `keys-FINGERPRINT.age` unless there is one with the same content. Returns its path. `more`: key files outside of the folder.
 */
export async function archiveKeys(options: {
  readonly folder: string;
  readonly more: readonly string[];
  readonly to: string;
  readonly passphrase: string;
}): Promise<string> {
  const { folder, more, to, passphrase } = options;
  const paths = [...(await readdir(folder)).filter(isKeyFile).map((name) => join(folder, name)), ...more];
  const files: Record<string, string> = {};
  for (const path of paths.sort()) files[basename(path)] = await readFile(path, 'utf8');
  const content = JSON.stringify({ format: 1, files });
  await mkdir(to, { recursive: true, mode: 0o700 });
  const path = join(to, `keys-${fingerprint(content)}.age`);
  if ((await readdir(to)).includes(basename(path))) return path;
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  await rm(`${path}.new`, { force: true });
  await writeFile(`${path}.new`, await encrypter.encrypt(content), { flag: 'wx', mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  await syncFolder(to);
  return path;
}

/** Writes the key files into an empty folder. Returns their names. Throws BackupFaults. */
export async function restoreKeys(path: string, passphrase: string, to: string): Promise<readonly string[]> {
  await requireEmpty(resolve(to));
  const { files } = await openArchive(path, passphrase);
  return fillFolder(to, async (work) => {
    await mkdir(work, { mode: 0o700 });
    for (const [name, content] of Object.entries(files))
      await writeFile(join(work, name), content, { mode: name === 'public.keys' ? 0o644 : 0o600 });
    return Object.keys(files);
  });
}

async function openArchive(path: string, passphrase: string): Promise<z.output<typeof contentShape>> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    const bytes = await readFile(path);
    return contentShape.parse(JSON.parse(await decrypter.decrypt(bytes, 'text')));
  } catch (error) {
    if (isMissingFile(error)) return fault(`${path} is missing: give the file that --keys-to wrote`);
    return fault(`${path} can't be opened: its passphrase is another one, or it was cut off or edited`);
  }
}
