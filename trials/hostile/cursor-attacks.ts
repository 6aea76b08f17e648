// Cursors of other callers, cursors for other purposes, and invented ones.
import { randomBytes } from 'node:crypto';
import type { Random } from '../random.ts';

/** Candidates for a cursor: the `given` ones, changed ones, and formats of older versions and other systems. */
export function cursorsToTry(given: readonly string[], random: Random): readonly string[] {
  const changed = given.flatMap((cursor) => {
    const at = random.integer(0, Math.max(cursor.length - 1, 0));
    return [
      `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`,
      cursor.slice(0, at),
      `${cursor}A`,
      `${cursor}${cursor}`,
    ];
  });
  const plain = ['0', '1', '-1', '9007199254740993', '1:1', '1.1', '{"s":1}', '[]', 'null', '1 OR 1=1'];
  return [
    ...given,
    ...changed,
    ...plain,
    ...plain.map((text) => Buffer.from(text).toString('base64url')),
    ...[1, 12, 28, 44, 600].map((bytes) => randomBytes(bytes).toString('base64url')),
    'A'.repeat(20_000),
  ];
}
