// Progress of a long command: one line on a terminal at standard error, which is removed afterwards. Nothing is written elsewhere.
import type { Output } from './verb.ts';

const least = 20;
const pauseMs = 100;

/** `what`: for example `objects`. */
export function progressOn(
  stderr: Output,
  what: string,
): { readonly at: (done: number, of: number) => void; readonly end: () => void } {
  let lastMs = 0;
  let isShown = false;
  return {
    at(done, of) {
      const nowMs = performance.now();
      if (stderr.isTTY !== true || of < least || nowMs - lastMs < pauseMs) return;
      lastMs = nowMs;
      isShown = true;
      stderr.write(`\r\x1b[K${done.toLocaleString('en')} of ${of.toLocaleString('en')} ${what}`);
    },
    end() {
      if (isShown) stderr.write('\r\x1b[K');
      isShown = false;
    },
  };
}
