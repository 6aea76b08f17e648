// What both sides of a copy know: its address, its certificates, and the last words of the programs that make it.

import type { Readable } from 'node:stream';

export interface CopyTls {
  /** PEM texts. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const copyPath = '/copy';
/** Of the whole copy, about. */
export const sizeHeader = 'x-data-bytes';
const keptOutputBytes = 4_096;

/** The end of what it has said. */
export function lastOf(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = `${text}${part}`.slice(-keptOutputBytes);
  });
  return () => text.trim();
}
