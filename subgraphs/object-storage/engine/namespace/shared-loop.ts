// A loop for work that one server of a cluster does for all. The others check from time to time whether they should take over, because that
// server may die.
import type { Logger } from '../../../../platform/log/log.ts';
import { Loop } from '../../../../platform/work/loop.ts';

interface SharedLoopOptions {
  readonly name: string;
  readonly log: Logger;
  /** Whether this process should do the work now. Undefined if there is no other process. */
  readonly isMine: (() => Promise<boolean>) | undefined;
  /** Pause between two rounds. */
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
