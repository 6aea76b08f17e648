// The mark that a call leaves in the comment of what it makes: `tg:<operation id> <words>`. A probe knows its own by it.

const prefix = 'tg:';

/** FortiOS keeps 255 characters of most comments; the mark takes 40 of them. */
export const maxWordsChars = 200;

export interface Mark {
  readonly operationId: string;
  readonly words: string;
}

export function writeMark({ operationId, words }: Mark): string {
  return words === '' ? `${prefix}${operationId}` : `${prefix}${operationId} ${words}`;
}

/** Undefined when the comment is not ours. */
export function readMark(comment: unknown): Mark | undefined {
  const match = typeof comment === 'string' ? /^tg:([0-9a-f-]{36})(?: (.*))?$/s.exec(comment) : undefined;
  return match?.[1] === undefined ? undefined : { operationId: match[1], words: match[2] ?? '' };
}

/** A comment as users gave it, ours or not. */
export function wordsOf(comment: unknown): string {
  return readMark(comment)?.words ?? (typeof comment === 'string' ? comment : '');
}
