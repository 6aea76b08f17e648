// The kernel's data about processes: their users, their parents, and the process that listens.
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface ProcessView {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Real, effective, saved and file system id. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** Capabilities that it has or could get, as bit masks: permitted, effective and bounding. */
  readonly capabilities: { readonly permitted: bigint; readonly effective: bigint; readonly bounding: bigint };
}

/** Undefined: the process has ended. */
export async function processView(pid: number): Promise<ProcessView | undefined> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const numbers = (name: string): number[] =>
    field(name)
      .split(/\s+/)
      .filter((each) => each !== '')
      .map(Number);
  const mask = (name: string): bigint => BigInt(`0x${field(name)}`);
  return {
    pid,
    parent: Number(field('PPid')),
    name: field('Name'),
    uids: numbers('Uid'),
    gids: numbers('Gid'),
    groups: numbers('Groups'),
    capabilities: { permitted: mask('CapPrm'), effective: mask('CapEff'), bounding: mask('CapBnd') },
  };
}

/** The process and all its descendants. */
export async function processTree(root: number): Promise<ProcessView[]> {
  const all = (await Promise.all((await pids()).map(processView))).filter((each) => each !== undefined);
  const tree = all.filter(({ pid }) => pid === root);
  for (const parent of tree) tree.push(...all.filter((each) => each.parent === parent.pid));
  return tree;
}

/** The process of a tree that listens on a TCP port of this machine. */
export async function listenerOn(port: number, tree: readonly ProcessView[]): Promise<ProcessView | undefined> {
  const sockets = await listeningSockets(port);
  for (const view of tree) {
    const descriptors = await readdir(`/proc/${view.pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${view.pid}/fd/${descriptor}`).catch(() => '');
      if (sockets.has(target)) return view;
    }
  }
  return undefined;
}

/** As named by the links in /proc/PID/fd. The columns are in proc(5), /proc/net/tcp; state 0A is LISTEN. */
async function listeningSockets(port: number): Promise<ReadonlySet<string>> {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  return new Set(
    lines
      .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hexadecimal}`))
      .map((columns) => `socket:[${columns[9]}]`),
  );
}

async function pids(): Promise<number[]> {
  return (await readdir('/proc')).filter((each) => /^\d+$/.test(each)).map(Number);
}
