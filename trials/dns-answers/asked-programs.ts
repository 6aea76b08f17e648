// BIND's dig and delv as the view from outside.
// needs: bind9-dnsutils
import { runProgram } from '../../embedded/run-program.ts';

interface Dug {
  readonly status: string;
  /** Sorted. */
  readonly records: readonly string[];
  readonly ttlSeconds: number | undefined;
  readonly scopeBits: number | undefined;
}

export async function dig(port: number, name: string, type: string, subnet: string): Promise<Dug> {
  const words = ['+norecurse', '+noall', '+answer', '+comments', '+time=10', '+tries=2', `+subnet=${subnet}`];
  const { stdout } = await runProgram('dig', ['@127.0.0.1', '-p', String(port), ...words, name, type]);
  const rows = stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(';'))
    .map((line) => line.split(/\s+/));
  const scope = /CLIENT-SUBNET: \S+\/(\d+)$/m.exec(stdout)?.[1];
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? 'NONE',
    records: rows.map(([, , , kind, data]) => `${kind} ${data}`).toSorted(),
    ttlSeconds: rows[0] === undefined ? undefined : Number(rows[0][1]),
    scopeBits: scope === undefined ? undefined : Number(scope),
  };
}

/** The whole output. `anchors`: a file with trust anchors. */
export async function delv(port: number, anchors: string, root: string, name: string, type: string): Promise<string> {
  const words = ['@127.0.0.1', '-p', String(port), '-a', anchors, `+root=${root}`, name, type];
  const { stdout, stderr } = await runProgram('delv', words);
  return `${stdout}${stderr}`;
}

/** Runs this many at once. */
export async function inLanes(count: number, lanes: number, work: (lane: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (next++ < count) await work(lane);
    }),
  );
}
