// Marks of processes in files of a host, for the next agent. They are not flushed, so a loss of power may leave anything in such a file.
// The process that it named is then gone too, so a damaged file counts as missing.

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ProcessMark } from '../embedded/process-mark.ts';
import { jsonIn } from '../platform/values/json.ts';

/** Excludes process 1, which is never ended. */
export const markShape = z.object({ pid: z.number().int().min(2), startTicks: z.string(), bootId: z.string() });

/** The file's content, if it has this shape. Undefined if the file is missing or damaged. */
export async function keptIn<Shape extends z.ZodType>(
  file: string,
  shape: Shape,
): Promise<z.output<Shape> | undefined> {
  return shape.safeParse(jsonIn(await readFile(file, 'utf8').catch(() => ''))).data;
}

export function markIn(file: string): Promise<ProcessMark | undefined> {
  return keptIn(file, markShape);
}
