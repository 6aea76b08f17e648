// Makes a device of the lab misbehave: it becomes slow, hangs, or closes the connection before, after or in the middle of a reply.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestKind } from './device-log.ts';

export interface DeviceFault {
  /** The requests it applies to. Default `apply`. */
  readonly on?: RequestKind | 'any';
  /** Applies only to calls whose arguments or input contain this text. */
  readonly matching?: string;
  /** Number of calls that it affects. Default: all. */
  readonly times?: number;
  /** Delay between receiving the request and applying it. */
  readonly delayBeforeMs?: number;
  /** Delay between applying it and answering. */
  readonly delayAfterMs?: number;
  /** The program refuses the request and does nothing. */
  readonly refuse?: 'yes';
  /** Never answers: without applying, or after applying. */
  readonly hang?: 'before' | 'after';
  /**
   * Closes the SSH connection: `before` without applying, `late` and then applies anyway (after `delayBeforeMs`), `after`
   * applying without a reply, `mid-reply` after half of the reply.
   */
  readonly drop?: 'before' | 'late' | 'after' | 'mid-reply';
}

export class DeviceFaults {
  readonly #folder: string;
  #delayMs = 0;
  #faults: readonly DeviceFault[] = [];
  #generation = 0;

  constructor(deviceFolder: string) {
    this.#folder = deviceFolder;
  }

  /** Replaces all faults; the first that matches a request is used. */
  async set(...faults: DeviceFault[]): Promise<void> {
    this.#faults = faults;
    await this.#write();
  }

  async clear(): Promise<void> {
    await this.set();
  }

  /** Delays every request, in addition to the faults. Zero turns it off. */
  async setDelay(delayMs: number): Promise<void> {
    this.#delayMs = delayMs;
    await this.#write();
  }

  async #write(): Promise<void> {
    const path = join(this.#folder, 'faults');
    const tokens = join(this.#folder, 'tokens');
    if (this.#faults.length === 0 && this.#delayMs === 0) return rm(path, { force: true });
    this.#generation += 1;
    await mkdir(tokens, { recursive: true });
    const lines: string[] = [];
    for (const [index, fault] of this.#faults.entries()) {
      const id = `${this.#generation}.${index}`;
      for (let token = 1; token <= (fault.times ?? 0); token += 1) await writeFile(join(tokens, `${id}-${token}`), '');
      lines.push(faultLine(id, { delayBeforeMs: this.#delayMs, ...fault }));
    }
    if (this.#delayMs > 0) lines.push(faultLine('delay', { on: 'any', delayBeforeMs: this.#delayMs }));
    await writeFile(`${path}.new`, lines.map((line) => `${line}\n`).join(''));
    await rename(`${path}.new`, path);
  }
}

/** Tab-separated `key=value`; the text to match is in hexadecimal, so that it may contain anything. */
function faultLine(id: string, fault: DeviceFault): string {
  const { matching, on = 'apply', ...rest } = fault;
  const fields: Record<string, string | number> = { id, on, ...rest };
  if (matching !== undefined) fields.matching = Buffer.from(matching).toString('hex');
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value}`)
    .join('\t');
}
