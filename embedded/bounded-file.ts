// A log file of bounded size. The previous one is kept beside it, as NAME.1. A full disk loses lines, and stops nobody.
import { closeSync, constants, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const usualBytes = 8 * 1024 * 1024;

export class BoundedFile {
  readonly path: string;
  readonly #mostBytes: number;
  readonly #onFault: (error: unknown) => void;
  #descriptor: number | undefined;
  #bytes = 0;

  /** Appends to what is there. Only its owner can read it. */
  constructor(
    path: string,
    options: { readonly mostBytes?: number; readonly onFault?: (error: unknown) => void } = {},
  ) {
    this.path = path;
    this.#mostBytes = options.mostBytes ?? usualBytes;
    this.#onFault = options.onFault ?? (() => {});
  }

  /** Whole lines, with their ends. Written when it returns, so that the last words before a crash are there. */
  write(text: string): void {
    try {
      this.#descriptor ??= this.#open();
      if (this.#bytes > 0 && this.#bytes + Buffer.byteLength(text) > this.#mostBytes) {
        this.close();
        renameSync(this.path, `${this.path}.1`);
        this.#descriptor = this.#open();
      }
      this.#bytes += writeSync(this.#descriptor, text);
    } catch (error) {
      this.#onFault(error);
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    const descriptor = openSync(this.path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    this.#bytes = fstatSync(descriptor).size;
    return descriptor;
  }
}
