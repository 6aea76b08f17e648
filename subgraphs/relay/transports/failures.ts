// A failure that came before the first byte of a call.
import type { NotSentCode, ReserveFailure } from './session.ts';

export function failed(code: NotSentCode, message: string): { readonly ok: false; readonly failure: ReserveFailure } {
  return { ok: false, failure: { kind: 'NOT_SENT', code, message } };
}
