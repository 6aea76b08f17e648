// The mark that a call leaves in the comment of what it makes: `tg:<operation id> <words>`. A probe knows its own by it.

/** nft's own language takes comments of at most 128 bytes (its JSON form takes longer ones, which can't be loaded again). */
const maxCommentBytes = 128;
const prefix = 'tg:';

/** What is left for words beside a UUID. */
export const maxWordsBytes = maxCommentBytes - prefix.length - 36 - 1;

export interface Mark {
  readonly operationId: string;
  readonly words: string;
}

export function writeMark(mark: Mark): string {
  return mark.words === '' ? `${prefix}${mark.operationId}` : `${prefix}${mark.operationId} ${mark.words}`;
}

/** Undefined when the comment is not ours. */
export function readMark(comment: unknown): Mark | undefined {
  const match = typeof comment === 'string' ? /^tg:([0-9a-f-]{36})(?: (.*))?$/s.exec(comment) : undefined;
  return match?.[1] === undefined ? undefined : { operationId: match[1], words: match[2] ?? '' };
}
