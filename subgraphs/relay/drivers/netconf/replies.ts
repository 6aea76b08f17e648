// The meaning of a NETCONF server's answers (RFC 6241, section 4.3 and appendix A). An ok does not always mean that the server has
// made the change. A change counts only when it is read back.

import { type JsonValue, maxMessageLength, type NetconfError, type NetconfReply, type Outcome } from '../driver.ts';

/** Appendix A: the server has not carried out any part of this request, but may have carried out earlier ones. */
const codes: Readonly<Record<string, string>> = {
  'in-use': 'DEVICE_BUSY',
  'lock-denied': 'DEVICE_BUSY',
  'resource-denied': 'DEVICE_BUSY',
  'data-exists': 'ALREADY_EXISTS',
  'data-missing': 'NOT_FOUND',
};
/** Errors after which a part was done, or can't be undone. */
const partly: ReadonlySet<string> = new Set(['partial-operation', 'rollback-failed', '']);
/** Reported before any part of an edit is done, also by a server that can't roll back. */
const before: ReadonlySet<string> = new Set(['in-use', 'data-exists', 'data-missing']);

export function unknown(code: string, message: string): Outcome {
  return { state: 'UNKNOWN', code, message: message.slice(0, maxMessageLength) };
}

/** Undefined if all steps succeeded. `deletes`: a missing object is the goal of the call. */
export function writeFailure(reply: NetconfReply, deletes = false): Outcome | undefined {
  const { step, truncated, fault, errors, edited } = reply;
  if (truncated) return unknown('REPLY_TOO_LONG', 'The reply is too long to be read.');
  if (fault !== undefined) return unknown('UNREADABLE_REPLY', fault);
  if (step === 'done') return undefined;
  const [first] = errors;
  if (first === undefined) return unknown('UNREADABLE_REPLY', 'The reply has an error without a description.');
  const message = messageOf(errors);
  if (step === 'lock') return { state: 'FAILED', code: codes[first.tag] ?? 'DEVICE_REFUSED', message };
  if (step === 'read') return unknown('READ_BACK_FAILED', `The device said ok, but could not be read: ${message}`);
  const tags = errors.map(({ tag }) => tag);
  // An edit that stays in the candidate is discarded, whatever the server answered.
  const isInCandidate = step === 'edit' && edited === 'candidate';
  const isUndone =
    edited === 'running without rollback' ? tags.every((tag) => before.has(tag)) : !tags.some((tag) => partly.has(tag));
  if (!isInCandidate && !isUndone) return unknown('PARTLY_APPLIED', message);
  const code = codes[first.tag] ?? 'DEVICE_REFUSED';
  const absent = deletes && step === 'edit' && first.tag === 'data-missing' ? { absent: true } : {};
  return { state: 'FAILED', code, message, ...absent };
}

export function readOutcome(reply: NetconfReply, read: () => JsonValue): Outcome {
  const { step, truncated, fault, errors } = reply;
  if (truncated) return { state: 'FAILED', code: 'REPLY_TOO_LONG', message: 'The reply is too long to be read.' };
  if (step === 'done' && reply.data !== null) return { state: 'SUCCEEDED', result: read() };
  const [first] = errors;
  if (first === undefined)
    return { state: 'FAILED', code: 'UNREADABLE_REPLY', message: fault ?? 'The reply has no data.' };
  return { state: 'FAILED', code: codes[first.tag] ?? 'DEVICE_REFUSED', message: messageOf(errors) };
}

function messageOf(errors: readonly NetconfError[]): string {
  return errors
    .map(({ tag, message, path, holder }) => {
      const where = path === '' ? '' : ` at ${path}`;
      const by = holder === undefined ? '' : ` (by session ${holder})`;
      return `${tag === '' ? 'error' : tag}${message === '' ? '' : `: ${message}`}${by}${where}`;
    })
    .join('; ')
    .slice(0, maxMessageLength);
}
