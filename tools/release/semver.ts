// Versions and their order, as in Semantic Versioning 2.0.0 (semver.org), items 2, 9, 10 and 11.

interface Version {
  readonly numbers: readonly [major: number, minor: number, patch: number];
  /** Empty for a final version. */
  readonly preRelease: readonly string[];
}

const number = '(0|[1-9]\\d*)';
const preReleasePart = '(?:0|[1-9]\\d*|\\d*[a-zA-Z-][\\da-zA-Z-]*)';
const form = new RegExp(`^${number}\\.${number}\\.${number}(?:-(${preReleasePart}(?:\\.${preReleasePart})*))?$`);

/** Undefined if it is no version. Build metadata (`+…`) is refused: it has no order. */
export function parseVersion(text: string): Version | undefined {
  const found = form.exec(text);
  if (found === null) return undefined;
  const [, major, minor, patch, preRelease] = found;
  return {
    numbers: [Number(major), Number(minor), Number(patch)],
    preRelease: preRelease === undefined ? [] : preRelease.split('.'),
  };
}

/** Negative if `a` comes before `b`. */
export function compareVersions(a: Version, b: Version): number {
  for (const [index, each] of a.numbers.entries()) {
    const difference = each - (b.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.preRelease.length === 0 || b.preRelease.length === 0) return b.preRelease.length - a.preRelease.length;
  for (const [index, each] of a.preRelease.entries()) {
    const other = b.preRelease[index];
    if (other === undefined) return 1;
    const difference = comparePreReleaseParts(each, other);
    if (difference !== 0) return difference;
  }
  return a.preRelease.length - b.preRelease.length;
}

/** Numbers come before words. */
function comparePreReleaseParts(a: string, b: string): number {
  const [aIsNumber, bIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (aIsNumber && bIsNumber) return Number(a) - Number(b);
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
