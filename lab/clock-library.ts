// The library that gives a process another clock (Debian's package libfaketime), for hosts of the lab, trials and tests.
import { pathExists } from '../embedded/find-program.ts';

/** Debian's names of the machines that Node runs on. */
const triplets: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

export function clockLibraryPath(machine: string = process.arch): string {
  return `/usr/lib/${triplets[machine] ?? machine}/faketime/libfaketimeMT.so.1`;
}

/** Undefined if it is not installed. */
export async function findClockLibrary(): Promise<string | undefined> {
  const path = clockLibraryPath();
  return (await pathExists(path)) ? path : undefined;
}

/** Changes the wall clock only; the monotonic clock is left alone, as on a real host. */
export function clockVariables(library: string | undefined, offset: Readonly<Record<string, string>>) {
  if (library === undefined) throw new Error('libfaketime is missing: install the package libfaketime');
  return { LD_PRELOAD: library, ...offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

/** An offset in libfaketime's format. */
export function clockOffset(seconds: number): string {
  return `${seconds < 0 ? '' : '+'}${seconds}`;
}
