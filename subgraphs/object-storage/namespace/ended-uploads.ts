// Ends uploads in parts whose time is over: nobody completed or aborted them, or whoever did died before all of their parts were forgotten. Their
// blobs are collected (collector.ts); what would stay for ever are the registers of the upload and of its parts. No version is left under
// which the upload could be completed, so that nothing that was acknowledged needs them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../platform/log.ts';
import type { Loop } from '../../../platform/loop.ts';
import { timeOf } from '../../../platform/registers/version.ts';
import type { HiddenRow } from '../store/hidden-rows.ts';
import type { Names } from './names.ts';
import { sharedLoop } from './shared-loop.ts';
import { type PartValue, readJson, type UploadValue, usualPartsMs } from './values.ts';

export interface EndedUploadsOptions {
  /** Of this cluster's replica. */
  readonly rows: () => AsyncIterable<readonly HiddenRow[]>;
  readonly names: Pick<Names, 'update'>;
  readonly log: Logger;
  /** Whether this process is to do it now; another server of the cluster may. */
  readonly isMine?: () => Promise<boolean>;
  readonly nowMs?: (() => number) | undefined;
  /** Between two rounds; default an hour. */
  readonly pauseMs?: number | undefined;
}

const usualPauseMs = 3_600_000;
const endedAtOnce = 16;
/** After each page of rows: a round must not take the machine from users. */
const pageMs = 20;

export class EndedUploads {
  readonly #options: EndedUploadsOptions;
  readonly #loop: Loop;

  constructor(options: EndedUploadsOptions) {
    this.#options = options;
    const { log, isMine, pauseMs = usualPauseMs } = options;
    this.#loop = sharedLoop({
      ...{ log, name: 'end uploads in parts', isMine, pauseMs },
      round: async (signal) => {
        const ended = await this.end(signal);
        if (ended > 0) log.info({ ended }, 'uploads in parts that were left behind, and parts of them, were ended');
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One round. @returns how many uploads and parts it ended */
  async end(signal: AbortSignal): Promise<number> {
    let ended = 0;
    for await (const page of this.#options.rows()) {
      const over = page.filter(({ head }) => this.#isOver(head));
      for (let from = 0; from < over.length; from += endedAtOnce) {
        if (signal.aborted) return ended;
        const some = await Promise.all(over.slice(from, from + endedAtOnce).map((row) => this.#end(row)));
        ended += some.filter(Boolean).length;
      }
      await sleep(pageMs, undefined, { signal }).catch(() => undefined);
    }
    return ended;
  }

  /** False: another cluster has ended it, or without a majority the next round tries again. */
  async #end({ key }: HiddenRow): Promise<boolean> {
    const { names, log } = this.#options;
    try {
      const { result } = await names.update(key, ({ value }) =>
        value !== undefined && this.#isOver(value.head)
          ? { keeps: false, value: undefined, result: true }
          : { keeps: true, result: false },
      );
      return result;
    } catch (error) {
      log.debug({ err: error, key }, 'an upload in parts could not be ended yet');
      return false;
    }
  }

  #isOver(head: string): boolean {
    const { nowMs = Date.now } = this.#options;
    const value = readJson<UploadValue | PartValue>({ head });
    // Releases before this one did not say it of a part, which came after its upload had begun.
    const untilMs =
      'modifiedAtMs' in value && value.latest === undefined
        ? value.modifiedAtMs + usualPartsMs
        : timeOf(value.latest ?? '');
    return nowMs() > untilMs;
  }
}
