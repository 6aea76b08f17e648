// An older commit beside this one: a separate worktree, prepared by its own bootstrap (its npm packages, its generated code, its
// dashboard), and removed again.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../../embedded/run-program.ts';

interface Checkout {
  readonly root: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
}

const readyDeadlineMs = 600_000;
/** Thousands of files are written, perhaps on a busy disk. */
const gitDeadlineMs = 300_000;

/** It is removed with the stack. Throws if there is no such commit, or if its bootstrap fails. */
export async function checkOut(
  stack: AsyncDisposableStack,
  { root, commit: named, signal }: { readonly root: string; readonly commit: string; readonly signal: AbortSignal },
): Promise<Checkout> {
  const git = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runProgram('git', ['-C', root, ...args], { timeoutMs: gitDeadlineMs });
    if (exitCode !== 0) throw new Error(`git ${args[0]} ${args[1] ?? ''}: ${stderr.trim()}`);
    return stdout.trim();
  };
  const commit = await git('rev-parse', '--verify', '--end-of-options', `${named}^{commit}`);
  // Called after its files are gone, so that git forgets it and any worktree that a killed run has left.
  stack.defer(async () => void (await git('worktree', 'prune')));
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-against-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const older = join(folder, 'checkout');
  await git('worktree', 'add', '--detach', '--quiet', older, commit);
  await makeReady(older, signal);
  return { root: older, commit };
}

/** The lab's packages are the same as for this commit: either the machine has them for both commits, or neither has a lab. */
async function makeReady(root: string, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, ['bin/boot.mjs', '--no-lab'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    env: environmentOf(),
    signal: AbortSignal.any([signal, AbortSignal.timeout(readyDeadlineMs)]),
  });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve));
  if (code !== 0) throw new Error(`bin/boot.mjs of the older commit ended with ${code}`);
}

/** Without npm's variables about the package whose script runs, because another checkout is another package. */
export function environmentOf(): NodeJS.ProcessEnv {
  const kept = ['npm_execpath', 'npm_node_execpath'];
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => kept.includes(name) || !/^(npm_|INIT_CWD$)/i.test(name)),
  );
}
