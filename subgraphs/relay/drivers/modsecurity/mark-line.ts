// The mark of the call that wrote a file, as a comment of Apache's configuration.

import { readMark, writeMark } from '../mark.ts';

const comment = '# ';

export function markLine(operationId: string): string {
  return `${comment}${writeMark({ operationId, words: '' })}`;
}

/** From the first line that has one. */
export function markIn(text: string): { readonly operationId?: string } {
  for (const line of text.split('\n')) {
    const mark = line.startsWith(comment) ? readMark(line.slice(comment.length)) : undefined;
    if (mark) return { operationId: mark.operationId };
  }
  return {};
}
