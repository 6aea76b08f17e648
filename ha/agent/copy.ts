// Shared by both sides of a copy: its address, its certificates, and the last output of its programs.

import type { Readable } from 'node:stream';

export interface CopyTls {
  /** PEM texts. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const copyPath = '/copy';
/** Header with the approximate size of the copy. */
export const sizeHeader = 'x-data-bytes';
const keptOutputBytes = 4_096;

/** The end of the stream's output. */
export function lastOf(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = `${text}${part}`.slice(-keptOutputBytes);
  });
  return () => text.trim();
}
