// The meaning of a script's reply.

import { type Refused, tooLong, type Unreadable, unreadable, writeFailure } from '../answer.ts';
import {
  type ExecReply,
  type JsonObject,
  type JsonValue,
  maxMessageLength,
  type Outcome,
  type ResourceFinding,
} from '../driver.ts';
import { jsonIn } from '../json.ts';
import { type Call, verdictOf } from '../script-input.ts';

/** A line of the configuration, and the first line of its block, empty if it is in no block. */
export interface ConfigLine {
  readonly head: string;
  /** Without the space before it. */
  readonly line: string;
}

type Answer =
  | { readonly kind: 'done'; readonly said: string; readonly have: readonly ConfigLine[]; readonly rest: string }
  | Refused
  | Unreadable;

/** The refusals of scripts.ts. Each leaves everything unchanged. */
const refusals: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  BAD_INPUT: { code: 'DEVICE_REFUSED', message: 'the router could not read the input of the script' },
  CUT_SHORT: { code: 'DEVICE_REFUSED', message: 'the input of the script arrived incomplete' },
  NO_VTYSH: { code: 'DEVICE_REFUSED', message: 'the router has no vtysh' },
  NOT_RUNNING: {
    code: 'DEVICE_REFUSED',
    message: 'vtysh shows no configuration: FRR is not running, or the account is not in its group frrvty',
  },
  EXISTS: {
    code: 'ALREADY_EXISTS',
    message: 'the router has another one there, which this relay did not make, or not with these settings',
  },
  ABSENT: { code: 'NOT_FOUND', message: 'the router does not have it' },
  CHANGED: {
    code: 'CHANGED',
    message:
      'what the router has there is not what was recorded: somebody else made it, or changed it. Verify the mapping; to take over what is there now, forget the mapping and adopt it',
  },
  NOT_COMPARED: {
    code: 'DEVICE_REFUSED',
    message: 'what the router has could not be compared with what is wanted: the account needs awk',
  },
  MISSING: { code: 'NOT_FOUND', message: 'the router does not have what this belongs to' },
};

/** `call`: the call that the reply answers. Absent for a reader. */
export function readAnswer(reply: ExecReply, call?: Call): Answer {
  if (reply.truncated) return tooLong;
  const found = verdictOf('frr', reply, call);
  const verdict = /^(done|unread|refused (\w+))$/.exec(found?.verdict ?? '');
  if (found === undefined || verdict === null) return withoutVerdict(reply);
  const lines = found.before;
  const said = withoutPasswords(after('said ', lines).join('\n').trim());
  if (verdict[1] === 'unread') {
    // Neither could it be changed.
    if (said.includes('failed to connect to any daemons')) return { kind: 'refused', ...known('NOT_RUNNING') };
    return {
      ...unreadable(`The configuration could not be read back. vtysh said: ${said.slice(0, 1_024)}`),
      ended: true,
    };
  }
  if (verdict[2] !== undefined) {
    const refused = refusals[verdict[2]];
    return refused === undefined ? withoutVerdict(reply) : { kind: 'refused', ...refused };
  }
  const have = after('have ', lines).map((text) => {
    const [head = '', line = ''] = text.split('\t');
    return { head, line: line.replace(/^ /, '') };
  });
  return { kind: 'done', said, have, rest: lines.join('\n') };
}

/** Removes passwords. A configuration has passwords in clear text, and an error message may quote any part of an unreadable reply. */
export function withoutPasswords(text: string): string {
  return text.replace(/(password|secret|key)[ \t].*/gi, '$1 •••');
}

function known(code: string) {
  return refusals[code] ?? { code, message: code };
}

function after(prefix: string, lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

function withoutVerdict({ exitCode, stdout, stderr }: ExecReply): Answer {
  const words = withoutPasswords(stderr.trim() || stdout.trim() || 'no message').slice(0, maxMessageLength / 2);
  return unreadable(`The script ended with ${exitCode ?? 'a signal'}, without a verdict for this call: ${words}.`);
}

/** A failed read or check. Undefined if it has not failed. */
function failure(answer: Answer): Outcome | undefined {
  if (answer.kind === 'done') return undefined;
  const { message } = answer;
  return { state: 'FAILED', code: answer.kind === 'refused' ? answer.code : 'UNREADABLE_REPLY', message };
}

/** The object's state in the read-back: as the call sets it, different, or absent. */
export type Shown = 'AS_WANTED' | 'OTHERWISE' | 'ABSENT';

/** The outcome of a call that sets an object. Only the read-back counts. */
export function setOutcome(
  reply: ExecReply,
  call: Call,
  shownIn: (have: readonly ConfigLine[]) => Shown,
  result: JsonObject,
): Outcome {
  const answer = readAnswer(reply, call);
  if (answer.kind !== 'done') return writeFailure(answer);
  const { said, have } = answer;
  const words = said === '' ? 'the router said nothing' : said;
  switch (shownIn(have)) {
    case 'AS_WANTED':
      return {
        state: 'SUCCEEDED',
        result: said === '' ? result : { ...result, said: said.slice(0, maxMessageLength) },
      };
    case 'ABSENT':
      return {
        ...{ state: 'FAILED', code: said === '' ? 'NOT_TAKEN' : 'DEVICE_REFUSED' },
        message: `the configuration does not have it afterwards; ${words}`.slice(0, maxMessageLength),
      };
    case 'OTHERWISE':
      // It may have been like that before, or a line was taken and the next one refused.
      return {
        ...{ state: 'UNKNOWN', code: 'NOT_AS_WANTED', ended: true },
        message: `the configuration has it otherwise than the call sets it; ${words}`.slice(0, maxMessageLength),
      };
  }
}

/** The outcome of a call that deletes an object. */
export function deleteOutcome(
  reply: ExecReply,
  call: Call,
  isThere: (have: readonly ConfigLine[]) => boolean,
): Outcome {
  const answer = readAnswer(reply, call);
  if (answer.kind !== 'done') return writeFailure(answer, answer.code === 'NOT_FOUND');
  const { said, have } = answer;
  if (isThere(have))
    return {
      ...{ state: 'FAILED', code: 'DEVICE_REFUSED' },
      message: `the configuration still has it; ${said === '' ? 'the router said nothing' : said}`.slice(
        0,
        maxMessageLength,
      ),
    };
  return { state: 'SUCCEEDED', result: said === '' ? null : { said: said.slice(0, maxMessageLength) } };
}

/** The outcome of a read of the configuration. */
export function listOutcome(reply: ExecReply, call: Call, read: (have: readonly ConfigLine[]) => JsonValue): Outcome {
  const answer = readAnswer(reply, call);
  return answer.kind === 'done' ? { state: 'SUCCEEDED', result: read(answer.have) } : (failure(answer) as Outcome);
}

/** The outcome of a command with JSON as its answer; FRR answers some with text when there is nothing to show. */
export function showOutcome(reply: ExecReply, _args: unknown, call: Call): Outcome {
  const answer = readAnswer(reply, call);
  if (answer.kind !== 'done') return failure(answer) as Outcome;
  const value = jsonIn(answer.rest);
  if (value !== undefined) return { state: 'SUCCEEDED', result: value };
  const words = withoutPasswords(answer.rest.trim());
  const code = words.startsWith('%') ? 'DEVICE_REFUSED' : 'UNREADABLE_REPLY';
  return { state: 'FAILED', code, message: (words || 'no answer').slice(0, maxMessageLength) };
}

/** The router's own check of the words. It prints an error for each line that it does not know. */
export function checkOutcome(reply: ExecReply, _args: unknown, call: Call): Outcome {
  const answer = readAnswer(reply, call);
  if (answer.kind !== 'done') return failure(answer) as Outcome;
  return answer.said === ''
    ? { state: 'SUCCEEDED', result: null }
    : { state: 'FAILED', code: 'DEVICE_REFUSED', message: answer.said.slice(0, maxMessageLength) };
}

/** Converts a reply to a finding. `read` looks for the object in the configuration. */
export function findingOf(
  reply: ExecReply,
  read: (have: readonly ConfigLine[]) => { readonly operationId?: string; readonly values: JsonObject } | undefined,
): ResourceFinding {
  const answer = readAnswer(reply);
  if (answer.kind !== 'done') return { finding: 'UNREADABLE', message: answer.message };
  const found = read(answer.have);
  return found === undefined ? { finding: 'ABSENT' } : { finding: 'PRESENT', ...found };
}
