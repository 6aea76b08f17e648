// The mark that a call leaves in the description of what it makes: `tg:<operation id> <words>`. A probe knows its own by it.

const prefix = 'tg:';

export interface Mark {
  readonly operationId: string;
  readonly words: string;
}

export function writeMark({ operationId, words }: Mark): string {
  return words === '' ? `${prefix}${operationId}` : `${prefix}${operationId} ${words}`;
}

/** Undefined when the description is not ours. */
export function readMark(description: unknown): Mark | undefined {
  const match = typeof description === 'string' ? /^tg:([0-9a-f-]{36})(?: (.*))?$/s.exec(description) : undefined;
  return match?.[1] === undefined ? undefined : { operationId: match[1], words: match[2] ?? '' };
}

/** What a person wrote, with our mark before it or not. */
export function wordsOf(description: unknown): string {
  return readMark(description)?.words ?? (typeof description === 'string' ? description : '');
}
