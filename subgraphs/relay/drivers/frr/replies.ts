// The meaning of a script's reply.

import {
  type ExecReply,
  type JsonObject,
  type JsonValue,
  maxMessageLength,
  type Outcome,
  type ResourceFinding,
} from '../driver.ts';
import { jsonIn } from '../json.ts';

/** A line of the configuration, and the line of the block that it is in; empty: none. */
export interface ConfigLine {
  readonly head: string;
  /** Without the space before it. */
  readonly line: string;
}

export type Answer =
  | { readonly kind: 'done'; readonly said: string; readonly have: readonly ConfigLine[]; readonly rest: string }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };

/** The refusals of scripts.ts; all of them leave everything unchanged. */
const refusals: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  BAD_INPUT: { code: 'DEVICE_REFUSED', message: 'the router could not read the input of the script' },
  CUT_SHORT: { code: 'DEVICE_REFUSED', message: 'the input of the script arrived incomplete' },
  NO_VTYSH: { code: 'DEVICE_REFUSED', message: 'the router has no vtysh' },
  NOT_RUNNING: {
    code: 'DEVICE_REFUSED',
    message: 'vtysh shows no configuration: FRR is not running, or the account is not in its group frrvty',
  },
  MISSING: { code: 'NOT_FOUND', message: 'the router does not have what this belongs to' },
};

export function readAnswer(reply: ExecReply): Answer {
  if (reply.truncated) return { kind: 'unreadable', message: 'The reply is too long to be read.' };
  const lines = reply.stdout.split('\n');
  if (lines.pop() !== '' || reply.exitCode !== 0) return unreadable(reply);
  const verdict = /^frr (done|unread|refused (\w+))$/.exec(lines.pop() ?? '');
  if (verdict === null) return unreadable(reply);
  const said = withoutPasswords(after('said ', lines).join('\n').trim());
  if (verdict[1] === 'unread') {
    // Neither could it be changed.
    if (said.includes('failed to connect to any daemons')) return { kind: 'refused', ...known('NOT_RUNNING') };
    return {
      kind: 'unreadable',
      message: `The configuration could not be read back. vtysh said: ${said.slice(0, 1_024)}`,
    };
  }
  if (verdict[2] !== undefined) {
    const refusal = refusals[verdict[2]];
    return refusal === undefined ? unreadable(reply) : { kind: 'refused', ...refusal };
  }
  const have = after('have ', lines).map((text) => {
    const [head = '', line = ''] = text.split('\t');
    return { head, line: line.replace(/^ /, '') };
  });
  return { kind: 'done', said, have, rest: lines.join('\n') };
}

/** A configuration has passwords in clear text, and a reply that can't be read may quote any part of it. */
function withoutPasswords(text: string): string {
  return text.replace(/(password|secret|key)[ \t].*/gi, '$1 •••');
}

function known(code: string) {
  return refusals[code] ?? { code, message: code };
}

function after(prefix: string, lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

function unreadable({ exitCode, stdout, stderr }: ExecReply): Answer {
  const words = withoutPasswords(stderr.trim() || stdout.trim() || 'no message').slice(0, maxMessageLength / 2);
  return { kind: 'unreadable', message: `The script ended with ${exitCode ?? 'a signal'}: ${words}.` };
}

/** A failed read or check; undefined: it has not failed. */
function failure(answer: Answer): Outcome | undefined {
  if (answer.kind === 'done') return undefined;
  const { message } = answer;
  return { state: 'FAILED', code: answer.kind === 'refused' ? answer.code : 'UNREADABLE_REPLY', message };
}

/** What the read-back shows of the object: as the call sets it, in another way, or not at all. */
export type Shown = 'AS_WANTED' | 'OTHERWISE' | 'ABSENT';

/** The outcome of a call that sets an object. Only what is read back counts. */
export function setOutcome(
  reply: ExecReply,
  shownIn: (have: readonly ConfigLine[]) => Shown,
  result: JsonObject,
): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'unreadable') return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: answer.message };
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message: answer.message };
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
        ...{ state: 'UNKNOWN', code: 'NOT_AS_WANTED' },
        message: `the configuration has it otherwise than the call sets it; ${words}`.slice(0, maxMessageLength),
      };
  }
}

/** The outcome of a call that deletes an object. Of most that did not exist FRR says nothing; of some it does, in words. */
export function deleteOutcome(reply: ExecReply, isThere: (have: readonly ConfigLine[]) => boolean): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'unreadable') return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: answer.message };
  if (answer.kind === 'refused') {
    const absent = answer.code === 'NOT_FOUND' ? { absent: true } : {};
    return { state: 'FAILED', code: answer.code, message: answer.message, ...absent };
  }
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
export function listOutcome(reply: ExecReply, read: (have: readonly ConfigLine[]) => JsonValue): Outcome {
  const answer = readAnswer(reply);
  return answer.kind === 'done' ? { state: 'SUCCEEDED', result: read(answer.have) } : (failure(answer) as Outcome);
}

/** The outcome of a command with JSON as its answer; FRR answers some with text when there is nothing to show. */
export function showOutcome(reply: ExecReply): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind !== 'done') return failure(answer) as Outcome;
  const value = jsonIn(answer.rest);
  if (value !== undefined) return { state: 'SUCCEEDED', result: value };
  const words = withoutPasswords(answer.rest.trim());
  const code = words.startsWith('%') ? 'DEVICE_REFUSED' : 'UNREADABLE_REPLY';
  return { state: 'FAILED', code, message: (words || 'no answer').slice(0, maxMessageLength) };
}

/** The router's own check of the words: it says something of each line that it does not know. */
export function checkOutcome(reply: ExecReply): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind !== 'done') return failure(answer) as Outcome;
  return answer.said === ''
    ? { state: 'SUCCEEDED', result: null }
    : { state: 'FAILED', code: 'DEVICE_REFUSED', message: answer.said.slice(0, maxMessageLength) };
}

/** What a reader finds. */
export function findingOf(
  reply: ExecReply,
  read: (have: readonly ConfigLine[]) => { readonly operationId?: string; readonly values: JsonObject } | undefined,
): ResourceFinding {
  const answer = readAnswer(reply);
  if (answer.kind !== 'done') return { finding: 'UNREADABLE', message: answer.message };
  const found = read(answer.have);
  return found === undefined ? { finding: 'ABSENT' } : { finding: 'PRESENT', ...found };
}
