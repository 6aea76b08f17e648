// Removes things by their claims: processes first, then what the kernel keeps.
import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from '../embedded/run-program.ts';
import { killQuietly } from '../embedded/server-process.ts';
import type { Claim } from './claims/claims.ts';
import { endAbandonedFirewall } from './lab.ts';
import { mountsIn, thaw, unmountAll } from './loop-disk.ts';
import { isIn, isOf } from './processes.ts';

/** Something that was there. */
export interface Remains {
  readonly kind: 'process' | 'namespace' | 'interface' | 'mount' | 'path';
  readonly name: string;
}

/** Commands that the owner started may still be running, and create resources. */
const settleMs = 300;
const mostRounds = 250;
const pauseMs = 20;
/** Other paths are never removed. */
const removable = /^\/(?:run|tmp|dev\/shm)\/tidegate-[\w.-]+$/;

/** Returns what was there. Throws if something can't be removed. */
export async function removeClaimed(claims: readonly Claim[]): Promise<readonly Remains[]> {
  const removed = new Map<string, Remains>();
  for (let round = 0; round < mostRounds; round += 1) {
    const found = await removeOnce(claims, round === 0);
    for (const each of found) removed.set(`${each.kind} ${each.name}`, each);
    if (round > 0 && found.length === 0) return [...removed.values()];
    if (round === 0) await sleep(settleMs);
  }
  throw new Error(`these come again: ${claims.map(({ kind, what }) => `${kind} ${what}`).join(', ')}`);
}

async function removeOnce(claims: readonly Claim[], isFirst: boolean): Promise<readonly Remains[]> {
  const of = (kind: Claim['kind']) => claims.filter((each) => each.kind === kind).map(({ what }) => what);
  const mounts = await mountsIn(of('mounts'));
  const spaces = (await namesIn('/run/netns')).filter(matcherOf(of('namespaces')));
  const interfaces = (await interfacesHere()).filter(matcherOf(of('interfaces')));
  const paths = [];
  for (const path of of('path')) if (removable.test(path) && (await isThere(path))) paths.push(path);
  // A process that waits for a frozen disk does not end before it is thawed.
  for (const each of mounts) await thaw(each);
  const processes = await endProcesses(spaces, of('processes'));
  // This removes the namespace with its rules. Afterwards nothing shows which processes were there.
  if (isFirst) for (const folder of of('firewall')) await endAbandonedFirewall(folder);
  for (const each of interfaces) await runProgram('ip', ['link', 'delete', each]);
  for (const each of spaces) await removeNamespace(each);
  for (const each of mounts) await unmountAll(each);
  for (const each of of('mounts')) await rmdir(each).catch(() => undefined);
  for (const each of paths) await rm(each, { recursive: true, force: true, maxRetries: 5 });
  const named = (kind: Remains['kind'], names: readonly string[]) => names.map((name) => ({ kind, name }));
  return [
    ...named('process', processes),
    ...named('interface', interfaces),
    ...named('namespace', spaces),
    ...named('mount', mounts),
    ...named('path', paths),
  ];
}

function matcherOf(whats: readonly string[]): (name: string) => boolean {
  return (name) => whats.some((what) => (what.endsWith('-') ? name.startsWith(what) : name === what));
}

/** Resolves when none is left. */
async function endProcesses(spaces: readonly string[], folders: readonly string[]): Promise<readonly string[]> {
  if (spaces.length === 0 && folders.length === 0) return [];
  const isInside = await isIn(spaces);
  const own = await ancestors();
  const ended = new Set<string>();
  for (let round = 0; round < mostRounds; round += 1) {
    let count = 0;
    for (const pid of (await namesIn('/proc')).map(Number).filter((each) => each > 1 && !own.has(each))) {
      if (!(await isInside(pid)) && !(await isOf(pid, folders))) continue;
      const program = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
      killQuietly(pid, 'SIGKILL');
      if (program !== '') ended.add(`${pid} (${program})`);
      count += 1;
    }
    if (count === 0) return [...ended];
    await sleep(pauseMs);
  }
  throw new Error(`these processes do not end: ${[...ended].join(', ')}`);
}

/** This process and those above it. */
async function ancestors(): Promise<ReadonlySet<number>> {
  const pids = new Set<number>();
  for (let pid = process.pid; pid > 1 && !pids.has(pid); ) {
    pids.add(pid);
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    pid = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? 0);
  }
  return pids;
}

/** If its creation was interrupted, it is a plain file. */
async function removeNamespace(name: string): Promise<void> {
  await runProgram('ip', ['netns', 'delete', name]);
  await rm(`/run/netns/${name}`, { force: true }).catch(() => undefined);
}

async function interfacesHere(): Promise<readonly string[]> {
  const { stdout } = await runProgram('ip', ['-json', 'link', 'show']).catch(() => ({ stdout: '' }));
  if (stdout.trim() === '') return [];
  return (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname);
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
