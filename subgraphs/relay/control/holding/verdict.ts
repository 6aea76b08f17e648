// Turns the results of transport and driver into a verdict for the journal.
import type { DriverOperation, JsonObject, RenderContext, Reply } from '../../drivers/driver.ts';
import type { Redactor } from '../../transports/redact.ts';
import type { SendResult } from '../../transports/session.ts';
import type { Verdict } from '../model/operation.ts';
import { actsForMs, type RelaySettings } from '../settings.ts';

interface Interpreted {
  readonly operation: DriverOperation;
  readonly args: JsonObject;
  readonly rendering: RenderContext;
}

export function verdictOf(
  sent: SendResult,
  call: Interpreted & { readonly deadlineMs: number },
  settings: QuietSettings,
): Verdict {
  const quietAfterSentMs = quietMs(call, settings);
  if (sent.ok) return readReply(sent.reply, call, quietAfterSentMs);
  const { kind, code, message } = sent.failure;
  if (kind === 'NOT_SENT')
    return { state: 'FAILED', error: { code: 'NOT_SENT', message: `${code}: ${message}` }, settledBy: 'not-sent' };
  return {
    state: 'UNKNOWN',
    error: { code, message },
    quietAfterSentMs,
    settledBy: code === 'NO_REPLY' ? 'deadline' : 'connection',
  };
}

/** The verdict on a call whose answer the driver or this relay failed to read, which is a bug. Its words stay in the log. */
export function unreadable(
  call: { readonly operation: DriverOperation; readonly deadlineMs: number },
  settings: QuietSettings,
): Verdict {
  return {
    state: 'UNKNOWN',
    error: { code: 'UNREADABLE_REPLY', message: 'the relay failed to read the answer; its log has the reason' },
    quietAfterSentMs: quietMs(call, settings),
    settledBy: 'reply',
  };
}

type QuietSettings = Pick<RelaySettings, 'sendWindowMs' | 'deviceGraceMs' | 'deviceExecutionMs'>;

/** How long after it was journaled as SENT a call may still take effect. */
function quietMs(
  { operation, deadlineMs }: { readonly operation: DriverOperation; readonly deadlineMs: number },
  settings: QuietSettings,
): number {
  return settings.sendWindowMs + deadlineMs + actsForMs(operation, settings);
}

/** Removes the secrets of the backend, and of the call, which the device may have quoted. */
export function redacted(verdict: Verdict, redactor: Redactor, ofCall?: Redactor): Verdict {
  if (ofCall !== undefined) return redacted(redacted(verdict, redactor), ofCall);
  const { result, error } = verdict;
  return {
    ...verdict,
    ...(result === undefined ? {} : { result: redactor.value(result) }),
    ...(error === undefined ? {} : { error: { code: error.code, message: redactor.text(error.message) } }),
  };
}

function readReply(reply: Reply, call: Interpreted, quietAfterSentMs: number): Verdict {
  const outcome = call.operation.interpret(reply, call.args, call.rendering);
  switch (outcome.state) {
    case 'SUCCEEDED':
      return {
        state: 'SUCCEEDED',
        result: outcome.result,
        settledBy: 'reply',
        ...(outcome.uuid === undefined ? {} : { uuid: outcome.uuid }),
      };
    case 'ACCEPTED':
      return { state: 'ACCEPTED', result: outcome.result, quietAfterSentMs, settledBy: 'reply' };
    case 'FAILED':
      return {
        state: 'FAILED',
        error: { code: outcome.code, message: outcome.message },
        settledBy: 'reply',
        ...(outcome.absent === true ? { absent: true } : {}),
      };
    case 'UNKNOWN':
      return {
        state: 'UNKNOWN',
        error: { code: outcome.code, message: outcome.message },
        quietAfterSentMs: outcome.ended === true ? 0 : quietAfterSentMs,
        settledBy: 'reply',
      };
  }
}
