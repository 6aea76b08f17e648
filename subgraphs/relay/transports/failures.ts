// What came before the first byte of a call, or speaks against it.
import type { NotSentCode, ReserveFailure, SendOptions } from './session.ts';

export function failed(code: NotSentCode, message: string): { readonly ok: false; readonly failure: ReserveFailure } {
  return { ok: false, failure: { kind: 'NOT_SENT', code, message } };
}

export function givenUp() {
  return failed('ABORTED', 'The call was given up before its first byte.');
}

/** What speaks against the first byte, asked right before it; undefined: nothing. `gone`: nothing can be sent on the session. */
export function obstacle(options: SendOptions, gone: boolean): ReturnType<typeof failed> | 'stale' | undefined {
  if (options.signal?.aborted) return givenUp();
  if (gone) return 'stale';
  if (options.beforeFirstByte?.() !== false) return undefined;
  return failed('WINDOW_PASSED', 'Too much time had passed since the call was journaled: nothing was sent.');
}
