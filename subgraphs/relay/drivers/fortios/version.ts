// FortiOS versions, as recorded by health checks: `FortiOS v7.4.5 build2702`.

export function versionText(version: string, build: number): string {
  return `FortiOS ${version} build${build}`;
}

/** Whether it is this version or a later one. Undefined if the version is unknown. */
export function isAtLeast(
  softwareVersion: string | null,
  ...wanted: readonly [number, number, number]
): boolean | undefined {
  const match = /\bv(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b/.exec(softwareVersion ?? '');
  if (!match) return undefined;
  const numbers = match.slice(1).map(Number);
  const different = wanted.findIndex((number, index) => number !== numbers[index]);
  return different === -1 || (numbers[different] ?? 0) > (wanted[different] ?? 0);
}
