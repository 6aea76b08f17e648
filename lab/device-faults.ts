// Makes the lab's firewall misbehave: slow, hanging, closing the connection before, after or in the middle of a reply.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NftKind } from './device-log.ts';

export interface DeviceFault {
  /** Which executions it is for; `apply` unless told. */
  readonly on?: NftKind | 'any';
  /** Only those whose arguments or input contain this text. */
  readonly matching?: string;
  /** Only so many of them; all when left out. */
  readonly times?: number;
  /** Waits after the execution was received and before it is applied. */
  readonly delayBeforeMs?: number;
  /** Waits after it was applied and before it is answered. */
  readonly delayAfterMs?: number;
  /** Never answers: without applying, or after having applied. */
  readonly hang?: 'before' | 'after';
  /**
   * Closes the SSH connection: `before` without applying, `late` and then applies all the same (after `delayBeforeMs`),
   * `after` having applied without a reply, `mid-reply` after half of the reply.
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

  /** Replaces all faults; the first that fits an execution is used. */
  async set(...faults: DeviceFault[]): Promise<void> {
    this.#faults = faults;
    await this.#write();
  }

  async clear(): Promise<void> {
    await this.set();
  }

  /** A device that takes this long for everything, besides the faults. Zero switches it off. */
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

/** Tab-separated `key=value`; the text to match is in hexadecimal, so that it may hold anything. */
function faultLine(id: string, fault: DeviceFault): string {
  const { matching, on = 'apply', ...rest } = fault;
  const fields: Record<string, string | number> = { id, on, ...rest };
  if (matching !== undefined) fields.matching = Buffer.from(matching).toString('hex');
  return Object.entries(fields)
    .map(([key, value]) => `${key}=${value}`)
    .join('\t');
}
