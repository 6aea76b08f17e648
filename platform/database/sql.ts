// Small pieces of SQL text.

/** A mark for each of a list's values, to stand in `IN (…)`. The list must not be empty. */
export function marksFor(values: { readonly length: number }): string {
  return Array(values.length).fill('?').join(', ');
}
