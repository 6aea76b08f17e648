// A setting with several values: an array in a file, or a text with commas between them, as a flag or a variable of the environment has it.
import { z } from 'zod';

/** A list with at most `most` entries. Default: an empty list. */
export function listSetting(what: z.ZodType<string, string>, most: number) {
  return z
    .union([
      z.array(z.string()),
      z.string().transform((text) =>
        text
          .split(',')
          .map((each) => each.trim())
          .filter(Boolean),
      ),
    ])
    .pipe(z.array(what).max(most))
    .default([]);
}
