// The meaning of a script's reply.

import { type Refused, readFailure, tooLong, type Unreadable, unreadable, writeFailure } from '../answer.ts';
import { type ExecReply, type JsonValue, maxMessageLength, type Outcome } from '../driver.ts';
import { type Call, verdictOf } from '../script-input.ts';

type ScriptAnswer =
  | { readonly kind: 'done'; readonly how: string; readonly lines: readonly string[] }
  | Refused
  | Unreadable;

/** The refusals of scripts.ts with their messages and codes. Each leaves everything unchanged. */
const refusals: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {
  BAD_INPUT: { code: 'DEVICE_REFUSED', message: 'the device could not read the input of the script' },
  NO_SITE: { code: 'NOT_FOUND', message: 'the configuration folder does not contain the site' },
  NOT_WRITABLE: { code: 'DEVICE_REFUSED', message: 'the configuration folder is not writable' },
  BUSY: { code: 'DEVICE_BUSY', message: 'another change has been in progress for 15 s' },
  NOT_RUNNING: { code: 'DEVICE_REFUSED', message: 'Apache is not running' },
  EXISTS: { code: 'ALREADY_EXISTS', message: 'the site already has a rule with this number' },
  ABSENT: { code: 'NOT_FOUND', message: 'the site has no rule with this number' },
  CHANGED: {
    code: 'CHANGED',
    message:
      'the rule with this number is not the one that was recorded: somebody else made or changed its file. Verify the mapping; to take over what is there now, forget the mapping and adopt it',
  },
  OTHER_SETTINGS: {
    code: 'CHANGED',
    message:
      "the site's mode.conf has other settings than SecRuleEngine, which would be lost: move them to another file",
  },
  CUT_SHORT: { code: 'DEVICE_REFUSED', message: 'the rule arrived incomplete' },
  CONFIG_TEST: { code: 'CONFIG_TEST_FAILED', message: 'Apache refused the configuration' },
  NOT_LOADED: { code: 'DEVICE_REFUSED', message: 'Apache did not load the configuration' },
};

/** `call`: the call that the reply answers. Absent for a reader. */
export function readAnswer(reply: ExecReply, call?: Call): ScriptAnswer {
  if (reply.truncated) return tooLong;
  const found = verdictOf('waf', reply, call);
  if (found === undefined) return withoutVerdict(reply);
  const { before: lines } = found;
  const [verdict = '', detail = ''] = found.verdict.split(' ');
  if (verdict === 'applied' || verdict === 'listed') return { kind: 'done', how: detail, lines };
  const refused = verdict === 'refused' ? refusals[detail] : undefined;
  if (verdict === 'broken') {
    return {
      ...unreadable(`Apache refused the change, and the change could not be undone: ${lines.join('\n')}`),
      ended: true,
    };
  }
  if (!refused) return withoutVerdict(reply);
  const words = lines.join('\n').trim();
  const message = words === '' ? refused.message : `${refused.message}: ${words}`;
  return { kind: 'refused', code: refused.code, message: message.slice(0, maxMessageLength) };
}

function withoutVerdict({ exitCode, stdout, stderr }: ExecReply): ScriptAnswer {
  const words = (stderr.trim() || stdout.trim() || 'no message').slice(0, maxMessageLength / 2);
  return unreadable(`The script ended with ${exitCode ?? 'a signal'}, without a verdict for this call: ${words}.`);
}

/** Outcome of a write. `loaded` in its result: Apache was seen to load the configuration, and not only asked to. */
export function writeOutcome(
  reply: ExecReply,
  call: Call,
  result: Readonly<Record<string, JsonValue>>,
  deletes = false,
): Outcome {
  const answer = readAnswer(reply, call);
  if (answer.kind !== 'done') return writeFailure(answer, deletes && answer.code === 'NOT_FOUND');
  return { state: 'SUCCEEDED', result: { ...result, loaded: answer.how === 'loaded' } };
}

/** Outcome of a read, or of the device's own check. */
export function readOutcome(reply: ExecReply, call: Call, read: (lines: readonly string[]) => JsonValue): Outcome {
  const answer = readAnswer(reply, call);
  if (answer.kind === 'done') return { state: 'SUCCEEDED', result: read(answer.lines) };
  return readFailure(answer);
}

export interface Section {
  readonly kind: string;
  readonly name: string;
  /** SHA-256 of the file, of a rule. */
  readonly sum: string;
  readonly text: string;
}

/** A listing: lines such as `rule 77 SUM`, each followed by the lines of its file, with a leading space. */
export function sectionsOf(lines: readonly string[]): Section[] {
  const sections: { kind: string; name: string; sum: string; text: string }[] = [];
  for (const line of lines) {
    const current = sections.at(-1);
    if (!line.startsWith(' ')) {
      const [kind = '', name = '', sum = ''] = line.split(' ');
      sections.push({ kind, name, sum, text: '' });
    } else if (current) current.text += `${line.slice(1)}\n`;
  }
  return sections;
}
