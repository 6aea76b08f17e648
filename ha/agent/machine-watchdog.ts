// A watchdog of the machine (Linux, Documentation/watchdog/watchdog-api.rst): once opened, it resets the machine if nothing is written to it for its
// timeout. Writing "V" before closing it stops that ("magic close"). Without the "V", the watchdog continues after the device is closed.

import { closeSync, constants, openSync, writeSync } from 'node:fs';

const keepAliveEveryMs = 1_000;
const openAgainMs = 5_000;

export class MachineWatchdog {
  readonly #path: string;
  readonly #log: number;
  #device: number | undefined;
  #keptAtMs = Number.NEGATIVE_INFINITY;
  #triedAtMs = Number.NEGATIVE_INFINITY;

  /** `log`: a descriptor. The device is not opened before `keepAlive`. */
  constructor(path: string, log: number) {
    this.#path = path;
    this.#log = log;
  }

  get isArmed(): boolean {
    return this.#device !== undefined;
  }

  /** It must be called frequently. */
  keepAlive(): void {
    const nowMs = performance.now();
    if (this.#device === undefined && nowMs - this.#triedAtMs >= openAgainMs) {
      this.#triedAtMs = nowMs;
      // Only one process may have the device open, and another one may be about to end.
      this.#try('is not opened, and is tried again', () => {
        // In a test, the substitute for the device may have no reader.
        this.#device = openSync(this.#path, constants.O_WRONLY | constants.O_NONBLOCK);
      });
    }
    if (this.#device === undefined || nowMs - this.#keptAtMs < keepAliveEveryMs) return;
    this.#keptAtMs = nowMs;
    this.#write('1');
  }

  disarm(): void {
    const device = this.#device;
    if (device === undefined) return;
    this.#write('V');
    this.#device = undefined;
    this.#try('is not closed', () => closeSync(device));
  }

  #write(text: string): void {
    this.#try('could not be notified', () => {
      if (this.#device !== undefined) writeSync(this.#device, text);
    });
  }

  #try(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      writeSync(
        this.#log,
        `${new Date().toISOString()} the machine's watchdog ${this.#path} ${what}: ${String(error)}\n`,
      );
    }
  }
}
