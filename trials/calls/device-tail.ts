// Follows the device's record of every operation, by the mark in each call. The log is read while it grows, because it is rotated in a long run.
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { DeviceLogEntry } from '../../lab/device-log.ts';

export interface DeviceRecord {
  /** How many times the call arrived. */
  received: number;
  /** How many times it was executed successfully. */
  applied: number;
}

/** A moment at which the device cut a connection or began to hang, so that other calls may have been lost with it. */
export interface Disturbance {
  readonly atMs: number;
  readonly hang: boolean;
}

const markPattern = /"tg:([0-9a-f]{8}-[0-9a-f-]{27})/;
const chunkBytes = 1024 * 1024;

export class DeviceTail {
  readonly #path: string;
  /** By operation id. */
  readonly records = new Map<string, DeviceRecord>();
  readonly disturbances: Disturbance[] = [];
  /** Reads new entries. */
  readonly #running = new Map<string, string>();
  #file: FileHandle | undefined;
  #inode = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads what was written since the last read. */
  async read(): Promise<void> {
    const now = await stat(this.#path).catch(() => undefined);
    if (this.#file !== undefined) await this.#drain(this.#file);
    if (now === undefined || now.ino === this.#inode) return;
    await this.close();
    this.#file = await open(this.#path, 'r');
    this.#inode = now.ino;
    this.#rest = '';
    await this.#drain(this.#file);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #drain(file: FileHandle): Promise<void> {
    const buffer = Buffer.alloc(chunkBytes);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, null);
      if (bytesRead === 0) return;
      const lines = (this.#rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.take(JSON.parse(line) as DeviceLogEntry);
    }
  }

  /** One line of the log. */
  take(entry: DeviceLogEntry): void {
    if (entry.phase === 'fault') this.disturbances.push({ atMs: entry.atMs, hang: entry.hang !== '' });
    if (entry.kind !== 'apply') return;
    if (entry.phase === 'received') {
      const operationId = markPattern.exec(entry.stdin)?.[1];
      if (operationId === undefined) return;
      this.#recordOf(operationId).received += 1;
      this.#running.set(entry.id, operationId);
    } else if (entry.phase === 'applied') {
      const operationId = this.#running.get(entry.id);
      this.#running.delete(entry.id);
      if (operationId !== undefined && entry.exit === 0) this.#recordOf(operationId).applied += 1;
    }
  }

  #recordOf(operationId: string): DeviceRecord {
    const known = this.records.get(operationId) ?? { received: 0, applied: 0 };
    this.records.set(operationId, known);
    return known;
  }
}
