// Shared by devices of the lab behind sshd: faults for each lane, and the device's own log as records.
import type { DeviceFault, DeviceFaults } from '../../../lab/device-faults.ts';
import type { DeviceLogEntry } from '../../../lab/device-log.ts';
import type { DeviceCall, DeviceRecord, Disturbance, RecordBook } from './device.ts';

export function faultOf(disturbance: Disturbance): DeviceFault {
  switch (disturbance.kind) {
    case 'drop-before':
      return { drop: 'before' };
    case 'drop-after':
      return { drop: 'after' };
    case 'drop-late':
      return { drop: 'late', delayBeforeMs: disturbance.lateMs };
    case 'slow':
      return { delayBeforeMs: disturbance.delayMs };
  }
}

/** Faults of these calls, each by its mark. */
export function faultsOf(calls: readonly DeviceCall[], disturbance: Disturbance): DeviceFault[] {
  const fault = faultOf(disturbance);
  return calls.map(({ wireMark: matching }) => ({ matching, ...fault }));
}

/** Writes the faults of the lanes that share a device. The faults of all lanes are in one file, so there is only one writer at a time. */
export class LaneFaults {
  readonly #device: DeviceFaults;
  readonly #byLane = new Map<string, readonly DeviceFault[]>();
  #writing: Promise<void> = Promise.resolve();

  constructor(device: DeviceFaults) {
    this.#device = device;
  }

  set(lane: string, faults: readonly DeviceFault[]): Promise<void> {
    this.#byLane.set(lane, faults);
    const written = this.#writing.then(() => this.#device.set(...[...this.#byLane.values()].flat()));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async stop(): Promise<void> {
    await this.#writing;
    await this.#device.clear();
  }
}

/** Adds the device's executions. `wireOf` must match how the journaled calls are matched. */
export function addLog(book: RecordBook, log: readonly DeviceLogEntry[], wireOf: (stdin: string) => string): void {
  const running = new Map<string, DeviceRecord>();
  for (const entry of log) {
    if (entry.kind !== 'apply') continue;
    if (entry.phase === 'received') {
      const record = book.of(wireOf(entry.stdin));
      record.receivedAtMs.push(entry.atMs);
      running.set(entry.id, record);
    } else if (entry.phase === 'applied' && entry.exit === 0) running.get(entry.id)?.appliedAtMs.push(entry.atMs);
  }
}
