// The mark of a call in the comment or description of the object it makes: `tg:<operation id> <words>`. A read recognises the
// object's creator by it.

import type { MappedObject } from './driver.ts';

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

/** A relayed call, for schemas. */
export const callId = {
  type: 'string',
  pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  description: 'The id of a call',
} as const;

/** The argument of a deletion that names the calls whose mark the object may have. */
export const madeBy = {
  type: 'array',
  items: callId,
  minItems: 1,
  maxItems: 2,
  description:
    'The ids of the calls that made or last changed it: only an object with the mark of one of them is deleted.',
} as const;

/** This argument for the object of a mapping. Undefined if it was adopted. */
export function markersOf({
  madeBy: made,
  changedBy,
}: Pick<MappedObject, 'madeBy' | 'changedBy'>): string[] | undefined {
  if (made === undefined) return undefined;
  return changedBy === undefined || changedBy === made ? [made] : [made, changedBy];
}
