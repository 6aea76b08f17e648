// A loop of work for which one server of a cluster is enough. The others ask from time to time: whoever does it may die.
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';

export interface SharedLoopOptions {
  readonly name: string;
  readonly log: Logger;
  /** Whether this process is to do it now; undefined: there is no other. */
  readonly isMine: (() => Promise<boolean>) | undefined;
  /** Between two rounds. */
  readonly pauseMs: number;
  readonly round: (signal: AbortSignal) => Promise<void>;
}

const askedAgainMs = 5_000;

export function sharedLoop({ name, log, isMine, pauseMs, round }: SharedLoopOptions): Loop {
  let isOurs = true;
  return new Loop({
    ...{ name, log, pauseMs: () => (isOurs ? pauseMs : Math.min(pauseMs, askedAgainMs)) },
    run: async (signal) => {
      isOurs = (await isMine?.()) ?? true;
      if (isOurs) await round(signal);
      return false;
    },
  });
}
