// Ends expired multipart uploads: nobody completed or aborted them, or the process that did died before it had forgotten all parts. Their
// blobs are collected (collector.ts), but the registers of the upload and its parts would stay forever. An expired upload has no version
// left with which it could be completed, so no acknowledged write needs them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../../platform/log/log.ts';
import { timeOf } from '../../../../platform/registers/version.ts';
import type { Loop } from '../../../../platform/work/loop.ts';
import type { HiddenRow } from '../store/hidden-rows.ts';
import type { Names } from './names.ts';
import { sharedLoop } from './shared-loop.ts';
import { readJson, type UploadPartValue, type UploadValue, usualPartsMs } from './values.ts';

interface EndedUploadsOptions {
  /** Rows of this cluster's replica. */
  readonly rows: () => AsyncIterable<readonly HiddenRow[]>;
  readonly names: Pick<Names, 'update'>;
  readonly log: Logger;
  /** Whether this process should do it now, rather than another server of the cluster. */
  readonly isMine?: () => Promise<boolean>;
  readonly nowMs?: (() => number) | undefined;
  /** Pause between two rounds; default 1 hour. */
  readonly pauseMs?: number | undefined;
}

const usualPauseMs = 3_600_000;
const endedAtOnce = 16;
/** Pause after each page of rows, so that a round leaves the machine to users. */
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
        if (ended > 0) log.info({ ended }, 'ended abandoned multipart uploads and parts');
      },
    });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One round. @returns the number of uploads and parts that were ended */
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

  /** False if another cluster has ended it, or if there was no majority and the next round should try again. */
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
      log.debug({ err: error, key }, 'could not end a multipart upload yet');
      return false;
    }
  }

  #isOver(head: string): boolean {
    const { nowMs = Date.now } = this.#options;
    const value = readJson<UploadValue | UploadPartValue>({ head });
    // Parts written by releases before this one lack the field. A part is newer than its upload.
    const untilMs =
      'modifiedAtMs' in value && value.latest === undefined
        ? value.modifiedAtMs + usualPartsMs
        : timeOf(value.latest ?? '');
    return nowMs() > untilMs;
  }
}
