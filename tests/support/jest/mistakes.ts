// Inputs with one mistake each: a wrong value of every kind at every place of a valid input.
interface Mistake {
  /** Path with dots. */
  readonly path: string;
  readonly value: unknown;
  readonly input: object;
}

export function mistakesIn(input: object): readonly Mistake[] {
  return leaves(input).flatMap(({ path, value }) =>
    wrongFor(value).map((wrong) => ({
      path: path.join('.'),
      value: wrong,
      input: changed(input, path, wrong) as object,
    })),
  );
}

interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

function leaves(value: unknown, path: readonly string[] = []): readonly Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]));
}

function wrongFor(value: unknown): readonly unknown[] {
  if (typeof value === 'number') return [-1, 2 ** 31 - 1];
  // Enum values are refused earlier.
  return typeof value === 'string' && !/^[A-Z][A-Z_]+$/.test(value) ? ['', '!', 'x'.repeat(10_000)] : [];
}

function changed(value: unknown, [name, ...rest]: readonly string[], wrong: unknown): unknown {
  if (name === undefined) return wrong;
  if (Array.isArray(value)) return value.map((each, at) => (String(at) === name ? changed(each, rest, wrong) : each));
  const members = value as Readonly<Record<string, unknown>>;
  return { ...members, [name]: changed(members[name], rest, wrong) };
}
