// Whether this host was lost as a primary and waits for a person before it returns (`ha.rejoin: manual`). A mark exists in its data folder from the
// opening of its writes until a planned handover, or until it follows another primary.

import { readFile, rename, rm, writeFile } from 'node:fs/promises';

export class StayingOut {
  readonly #file: string;
  readonly #isManual: boolean;
  #hasLed: boolean;

  private constructor(file: string, isManual: boolean, hasLed: boolean) {
    this.#file = file;
    this.#isManual = isManual;
    this.#hasLed = hasLed;
  }

  static async open(file: string, isManual: boolean): Promise<StayingOut> {
    const text = await readFile(file, 'utf8').catch(() => '');
    return new StayingOut(file, isManual, text !== '');
  }

  /** Whether the host stays out because there is another primary. */
  get staysOut(): boolean {
    return this.#isManual && this.#hasLed;
  }

  /** Called when its writes were opened. */
  async led(): Promise<void> {
    if (this.#hasLed) return;
    this.#hasLed = true;
    await writeFile(`${this.#file}.new`, '1\n', { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
  }

  /** Lets the host return by itself. */
  async mayReturn(): Promise<void> {
    if (!this.#hasLed) return;
    this.#hasLed = false;
    await rm(this.#file, { force: true });
  }
}
