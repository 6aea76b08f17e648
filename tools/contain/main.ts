// node tools/contain/main.ts COMMAND [ARGUMENT…]: runs a command in process, mount and network namespaces of its own, with a folder of its
// own for temporary files. However the run ends, the kernel ends its processes and removes its namespaces, interfaces and mounts. Its folder
// goes with it, or with the next run if this one is killed. Without the rights or programs for namespaces, the command only
// has the folder.
import { spawn, spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, uncoveringWords } from '../../cli/up/account.ts';
import { watchParent } from '../../cli/watch-parent.ts';
import { makeRunFolder, removeAbandonedFolders } from './run-folder.ts';

const endedBy = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const namespaces = [
  '--pid',
  '--mount',
  '--net',
  '--fork',
  '--kill-child=KILL',
  '--mount-proc',
  '--propagation=private',
];

async function main(command: readonly string[]): Promise<number> {
  await removeAbandonedFolders(tmpdir());
  const folder = await makeRunFolder(tmpdir());
  try {
    const words = canHaveNamespaces() ? await inNamespaces(command, folder) : command;
    return await run(words, folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Tries the steps of init.sh. A machine without the programs has no tests that make interfaces or mounts. */
function canHaveNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  const tried = 'command -v setpriv && ip link set lo up && mount -t tmpfs tmpfs /run';
  return spawnSync('unshare', [...namespaces, 'sh', '-c', tried]).status === 0;
}

/** Accounts without rights reach the checkout there, wherever it is. */
async function inNamespaces(command: readonly string[], folder: string): Promise<readonly string[]> {
  const entered = ['setpriv', '--pdeathsig', 'KILL', '--', 'unshare', ...namespaces, '--'];
  const init = ['sh', join(import.meta.dirname, 'init.sh'), folder];
  return [...entered, ...(await uncoveringWords([checkout, folder])), ...init, ...command];
}

/** Resolves to the exit code. A signal, or the end of npm, ends the command. */
async function run([program = '', ...words]: readonly string[], folder: string): Promise<number> {
  const orphaned = watchParent(process.env);
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(program, words, { stdio: 'inherit', env: { ...process.env, TMPDIR: folder } });
      let cause: NodeJS.Signals | undefined;
      const end = (signal: NodeJS.Signals) => {
        cause ??= signal;
        child.kill('SIGKILL');
      };
      for (const signal of endedBy) process.on(signal, end);
      orphaned.signal.addEventListener('abort', () => end('SIGHUP'));
      child.once('error', reject);
      child.once('close', (code, signal) => {
        const by = cause ?? signal;
        resolve(by === null ? (code ?? 1) : 128 + constants.signals[by]);
      });
    });
  } finally {
    orphaned.stop();
  }
}

process.exitCode = await main(process.argv.slice(2));
