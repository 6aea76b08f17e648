// The meaning of a script's reply.

import { type ExecReply, type JsonValue, maxMessageLength, type Outcome } from '../driver.ts';

export type ScriptAnswer =
  | { readonly kind: 'done'; readonly how: string; readonly lines: readonly string[] }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };

/** The refusals of scripts.ts with their messages and codes; all of them leave everything unchanged. */
const refusals: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  BAD_INPUT: { code: 'DEVICE_REFUSED', message: 'the device could not read the input of the script' },
  NO_SITE: { code: 'NOT_FOUND', message: 'the configuration folder does not contain the site' },
  NOT_WRITABLE: { code: 'DEVICE_REFUSED', message: 'the configuration folder is not writable' },
  BUSY: { code: 'DEVICE_BUSY', message: 'another change has been in progress for 15 s' },
  NOT_RUNNING: { code: 'DEVICE_REFUSED', message: 'Apache is not running' },
  EXISTS: { code: 'ALREADY_EXISTS', message: 'the site already has a rule with this number' },
  ABSENT: { code: 'NOT_FOUND', message: 'the site has no rule with this number' },
  CUT_SHORT: { code: 'DEVICE_REFUSED', message: 'the rule arrived incomplete' },
  CONFIG_TEST: { code: 'CONFIG_TEST_FAILED', message: 'Apache refused the configuration' },
  NOT_LOADED: { code: 'DEVICE_REFUSED', message: 'Apache did not load the configuration' },
};

export function readAnswer(reply: ExecReply): ScriptAnswer {
  if (reply.truncated) return { kind: 'unreadable', message: 'The reply is too long to be read.' };
  const lines = reply.stdout.split('\n');
  if (lines.pop() !== '' || reply.exitCode !== 0) return unreadable(reply);
  const [word, verdict = '', detail = ''] = (lines.pop() ?? '').split(' ');
  if (word !== 'waf') return unreadable(reply);
  if (verdict === 'applied' || verdict === 'listed') return { kind: 'done', how: detail, lines };
  const refusal = verdict === 'refused' ? refusals[detail] : undefined;
  if (verdict === 'broken') {
    return {
      kind: 'unreadable',
      message: `Apache refused the change, and the change could not be undone: ${lines.join('\n')}`,
    };
  }
  if (!refusal) return unreadable(reply);
  const words = lines.join('\n').trim();
  const message = words === '' ? refusal.message : `${refusal.message}: ${words}`;
  return { kind: 'refused', code: refusal.code, message: message.slice(0, maxMessageLength) };
}

function unreadable({ exitCode, stdout, stderr }: ExecReply): ScriptAnswer {
  const words = (stderr.trim() || stdout.trim() || 'no message').slice(0, maxMessageLength / 2);
  return { kind: 'unreadable', message: `The script ended with ${exitCode ?? 'a signal'}: ${words}.` };
}

/** Outcome of a write; `loaded` in its result: Apache has been seen to load it, not only told to. */
export function writeOutcome(reply: ExecReply, result: Readonly<Record<string, JsonValue>>, deletes = false): Outcome {
  const answer = readAnswer(reply);
  switch (answer.kind) {
    case 'done':
      return { state: 'SUCCEEDED', result: { ...result, loaded: answer.how === 'loaded' } };
    case 'refused': {
      const absent = deletes && answer.code === 'NOT_FOUND' ? { absent: true } : {};
      return { state: 'FAILED', code: answer.code, message: answer.message, ...absent };
    }
    case 'unreadable':
      return { state: 'UNKNOWN', code: 'UNREADABLE_REPLY', message: answer.message };
  }
}

/** Outcome of a read, or of the device's own check. */
export function readOutcome(reply: ExecReply, read: (lines: readonly string[]) => JsonValue): Outcome {
  const answer = readAnswer(reply);
  if (answer.kind === 'done') return { state: 'SUCCEEDED', result: read(answer.lines) };
  const { message } = answer;
  if (answer.kind === 'refused') return { state: 'FAILED', code: answer.code, message };
  return { state: 'FAILED', code: reply.truncated ? 'REPLY_TOO_LONG' : 'UNREADABLE_REPLY', message };
}

export interface Section {
  readonly kind: string;
  readonly name: string;
  readonly text: string;
}

/** A listing: lines such as `rule 77`, each followed by the lines of its file, with a leading space. */
export function sectionsOf(lines: readonly string[]): Section[] {
  const sections: { kind: string; name: string; text: string }[] = [];
  for (const line of lines) {
    const current = sections.at(-1);
    if (!line.startsWith(' ')) {
      const [kind = '', name = ''] = line.split(' ');
      sections.push({ kind, name, text: '' });
    } else if (current) current.text += `${line.slice(1)}\n`;
  }
  return sections;
}
