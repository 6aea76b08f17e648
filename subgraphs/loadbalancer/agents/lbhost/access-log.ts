// Writes a node's access log on its host: JSON, one object per line. Its size and rate are bounded, so that a node under attack does not
// fill the disk; dropped lines are counted.
import { appendFile, rename, stat } from 'node:fs/promises';

interface AccessLogOptions {
  readonly path: string;
  /** A file of this size is renamed to `PATH.1`, replacing the previous one. Default 16 MiB. */
  readonly mostBytes?: number;
  /** Further lines in the same second are dropped. Default 1000. */
  readonly linesPerSecond?: number;
  /** Like Date.now. */
  readonly now?: () => number;
}

const mostWaitingBytes = 1024 * 1024;

export class AccessLog {
  readonly #options: Required<AccessLogOptions>;
  #second = 0;
  #lines = 0;
  #leftOut = 0;
  #waiting = '';
  #bytes: number | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: AccessLogOptions) {
    this.#options = { mostBytes: 16 * 1024 * 1024, linesPerSecond: 1_000, now: Date.now, ...options };
  }

  write(line: string): void {
    const second = Math.floor(this.#options.now() / 1_000);
    if (second !== this.#second) {
      [this.#second, this.#lines] = [second, 0];
      if (this.#leftOut > 0) this.#waiting += `${JSON.stringify({ at: second, leftOut: this.#leftOut })}\n`;
      this.#leftOut = 0;
    }
    this.#lines += 1;
    if (this.#lines > this.#options.linesPerSecond || this.#waiting.length > mostWaitingBytes) this.#leftOut += 1;
    else this.#waiting += `${line}\n`;
    this.#writing ??= this.#run().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when everything is on disk. */
  async written(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #run(): Promise<void> {
    const { path, mostBytes } = this.#options;
    while (this.#waiting !== '') {
      const text = this.#waiting;
      this.#waiting = '';
      try {
        this.#bytes ??= (await stat(path).catch(() => undefined))?.size ?? 0;
        if (this.#bytes > 0 && this.#bytes + text.length > mostBytes) {
          await rename(path, `${path}.1`);
          this.#bytes = 0;
        }
        await appendFile(path, text, { mode: 0o600 });
        this.#bytes += Buffer.byteLength(text);
      } catch {
        // A full disk must not stop the node's runner: its lines are dropped.
        this.#bytes = undefined;
        this.#leftOut += text.split('\n').length - 1;
      }
    }
  }
}
