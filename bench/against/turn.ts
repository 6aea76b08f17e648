// One turn of a comparison: a benchmark in its own process, in either checkout; its last line is the result.
import { spawn } from 'node:child_process';
import { environmentOf } from './older-checkout.ts';

interface TurnOrder {
  /** The checkout whose benchmark runs. */
  readonly root: string;
  readonly kind: string;
  readonly name: string;
  /** By option name. */
  readonly options: Readonly<Record<string, string | number>>;
  readonly signal: AbortSignal;
}

export type Figures = Readonly<Record<string, unknown>>;

const stopGraceMs = 60_000;
const mostOutput = 1024 * 1024;

/** Throws if it ends with an error, or if its last line is not JSON. */
export async function takeTurn({ root, kind, name, options, signal }: TurnOrder): Promise<Figures> {
  signal.throwIfAborted();
  const words = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]);
  const child = spawn('sh', ['bin/node24', 'bench/run.ts', kind, name, ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environmentOf(),
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-mostOutput);
  });
  let cut: NodeJS.Timeout | undefined;
  // It stops its own children.
  const end = (): void => {
    child.kill('SIGTERM');
    cut = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    );
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`${kind} ${name} in ${root} ended with ${code ?? 'a signal'}`);
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Figures;
  } finally {
    clearTimeout(cut);
    signal.removeEventListener('abort', end);
  }
}
