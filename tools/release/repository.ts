// The git commands that a release needs. Names and dates in their output don't depend on the user's language or settings.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Commit } from './commits.ts';
import { ReleaseError } from './release-error.ts';

const run = promisify(execFile);
/** An archive is smaller by far. */
const mostBytes = 2 ** 30;

export class Repository {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Standard output. Throws ReleaseError with git's message. */
  async git(...words: readonly string[]): Promise<string> {
    return (await this.gitBytes(...words)).toString('utf8').trimEnd();
  }

  async gitBytes(...words: readonly string[]): Promise<Buffer> {
    const env = { ...process.env, LC_ALL: 'C' };
    try {
      return (await run('git', words, { cwd: this.root, maxBuffer: mostBytes, encoding: 'buffer', env })).stdout;
    } catch (error) {
      const { stderr } = error as { stderr?: Buffer };
      throw new ReleaseError(`git ${words.join(' ')} failed: ${stderr?.toString('utf8').trim() || String(error)}`);
    }
  }

  /** Undefined if the name is unknown. */
  async commitOf(name: string): Promise<string | undefined> {
    return (await this.git('rev-parse', '--verify', '--quiet', `${name}^{commit}`).catch(() => '')) || undefined;
  }

  /** Empty when HEAD is detached. */
  branch(): Promise<string> {
    return this.git('branch', '--show-current');
  }

  /** Paths that differ from HEAD, and untracked ones that are not ignored. */
  async changedPaths(): Promise<readonly string[]> {
    const text = await this.git('status', '--porcelain', '--no-renames');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [line.slice(3)]));
  }

  async trackedFiles(): Promise<readonly string[]> {
    return (await this.git('ls-files', '-z')).split('\0').filter((path) => path !== '');
  }

  /** Undefined if the file is not in the commit. */
  async fileAt(commit: string, path: string): Promise<string | undefined> {
    return this.git('show', `${commit}:${path}`).catch(() => undefined);
  }

  /** Without merges, the oldest first. */
  async commitsSince(commit: string): Promise<readonly Commit[]> {
    const format = '--format=%H%x00%s%x00%b%x00';
    const fields = (await this.git('log', '--no-merges', '--reverse', format, `${commit}..HEAD`)).split('\0');
    return Array.from({ length: Math.floor(fields.length / 3) }, (_, index) => {
      const [hash = '', subject = '', body = ''] = fields.slice(index * 3);
      return { hash: hash.trim(), subject, body };
    });
  }
}
