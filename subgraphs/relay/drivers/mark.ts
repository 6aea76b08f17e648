// The mark of a call in the comment or description of the object it makes: `tg:<operation id> <words>`. A read recognises the
// object's creator by it.

const prefix = 'tg:';
/** The mark itself, and the space after it. */
export const markChars = prefix.length + 36 + 1;

interface Mark {
  readonly operationId: string;
  readonly words: string;
}

export function writeMark({ operationId, words }: Mark): string {
  return words === '' ? `${prefix}${operationId}` : `${prefix}${operationId} ${words}`;
}

/** Undefined when the comment has no mark. */
export function readMark(comment: unknown): Mark | undefined {
  const match = typeof comment === 'string' ? /^tg:([0-9a-f-]{36})(?: (.*))?$/s.exec(comment) : undefined;
  return match?.[1] === undefined ? undefined : { operationId: match[1], words: match[2] ?? '' };
}

/** The text that a person wrote, after a mark or without one. */
export function wordsOf(comment: unknown): string {
  return readMark(comment)?.words ?? (typeof comment === 'string' ? comment : '');
}
