// The version and the commit of this program. Both are read once, at the start: an upgrade may replace the files while a process runs.
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface ProgramVersion {
  readonly version: string;
  /** The full hash. Undefined if it can't be known, as in a copy of the files without `.git`. */
  readonly commit: string | undefined;
}

const root = join(import.meta.dirname, '../..');
const hash = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

let ofThisProcess: Promise<ProgramVersion> | undefined;

export function programVersion(): Promise<ProgramVersion> {
  ofThisProcess ??= readProgramVersion(root);
  return ofThisProcess;
}

export async function readProgramVersion(folder: string): Promise<ProgramVersion> {
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { version, commit: (await commitOfArchive(folder)) ?? (await commitOfClone(folder)) };
}

/** The parts of the version as they appear in JSON: without the commit if it is not known. */
export function shownVersion({ version, commit }: ProgramVersion): { version: string; commit?: string } {
  return commit === undefined ? { version } : { version, commit };
}

/** git writes the hash into this file when it makes an archive (.gitattributes). */
async function commitOfArchive(folder: string): Promise<string | undefined> {
  return hashIn(await textOf(join(folder, 'commit.txt')));
}

/** Reads git's files, because a host needs no git. Layout: gitrepository-layout(5), git 2.39; the reftable format is not read. */
async function commitOfClone(folder: string): Promise<string | undefined> {
  const gitFolder = await gitFolderOf(folder);
  if (gitFolder === undefined) return undefined;
  const head = await textOf(join(gitFolder, 'HEAD'));
  const [, ref] = /^ref: (refs\/\S+)$/.exec(head) ?? [];
  if (ref === undefined) return hashIn(head);
  // A linked worktree has its own HEAD, and the branches of its repository.
  const shared = resolve(gitFolder, await textOf(join(gitFolder, 'commondir')));
  const packed = (await textOf(join(shared, 'packed-refs'))).split('\n').find((line) => line.endsWith(` ${ref}`));
  return hashIn(await textOf(join(shared, ref))) ?? hashIn(packed?.split(' ', 1)[0] ?? '');
}

async function gitFolderOf(folder: string): Promise<string | undefined> {
  const path = join(folder, '.git');
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return found && path;
  const [, target] = /^gitdir: (.+)$/.exec(await textOf(path)) ?? [];
  return target === undefined ? undefined : resolve(folder, target);
}

function hashIn(text: string): string | undefined {
  return hash.test(text) ? text : undefined;
}

/** Trimmed; empty if the file can't be read. */
async function textOf(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}
