// The program around the client in Go, built with Debian's Go and the standard library alone.
// needs: golang-go
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

export const run = promisify(execFile);
export const clientFolder = join(import.meta.dirname, '../../../clients/go');

export class GoProgram {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  static async build(): Promise<GoProgram> {
    const program = new GoProgram(await temporaryFolder());
    await program.go(['build', '-o', program.#path, './check'], import.meta.dirname);
    return program;
  }

  async go(words: readonly string[], cwd: string): Promise<void> {
    const { path } = this.#folder;
    // Nothing is fetched: there is nothing but the standard library.
    const env = { PATH: '/usr/bin:/bin', HOME: path, GOPATH: join(path, 'go'), GOPROXY: 'off', CGO_ENABLED: '0' };
    await run('/usr/bin/go', words, { cwd, env: { ...env, GOCACHE: join(path, 'cache') } });
  }

  /** Carries out the tasks at an address. */
  async carryOut(origin: string): Promise<void> {
    await run(this.#path, [origin], { env: {} });
  }

  remove(): Promise<void> {
    return this.#folder.remove();
  }

  get #path(): string {
    return join(this.#folder.path, 'check-tasks');
  }
}
