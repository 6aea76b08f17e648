// Reads the kernel's data about processes: their users, their parents, and the listening process.
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
  /** Its capabilities, current and possible, as bit masks: permitted, effective and bounding. */
  readonly capabilities: { readonly permitted: bigint; readonly effective: bigint; readonly bounding: bigint };
}

/** Undefined if the process has ended. */
async function processView(pid: number): Promise<ProcessView | undefined> {
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

/** The process in a tree that listens on a TCP port of this machine. */
export async function listenerOn(port: number, tree: readonly ProcessView[]): Promise<ProcessView | undefined> {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = await listeningSockets();
  for (const view of tree) {
    const descriptors = await readdir(`/proc/${view.pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${view.pid}/fd/${descriptor}`).catch(() => '');
      if (sockets.get(target)?.endsWith(`:${hexadecimal}`)) return view;
    }
  }
  return undefined;
}

/** IPv4 addresses on which the process listens for TCP, one for each port. */
export async function listeningAddresses(pid: number): Promise<string[]> {
  const sockets = await listeningSockets();
  const found: string[] = [];
  for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
    const local = sockets.get(await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => ''));
    if (local === undefined) continue;
    const bytes = local.slice(0, 8).match(/../g) ?? [];
    found.push(
      bytes
        .reverse()
        .map((byte) => Number.parseInt(byte, 16))
        .join('.'),
    );
  }
  return found.sort();
}

/** The local address and port of a socket, which is known from the links in /proc/PID/fd. Columns: proc(5), /proc/net/tcp; state 0A is LISTEN. */
async function listeningSockets(): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(
    lines
      .filter(([, , , state]) => state === '0A')
      .map((columns) => [`socket:[${columns[9]}]`, columns[1] ?? ''] as const),
  );
}

async function pids(): Promise<number[]> {
  return (await readdir('/proc')).filter((each) => /^\d+$/.test(each)).map(Number);
}
