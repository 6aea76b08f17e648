// Small pieces of SQL text.

/** A placeholder for each of a list's values, for `IN (…)`. The list must not be empty. */
export function marksFor(values: { readonly length: number }): string {
  return Array(values.length).fill('?').join(', ');
}
