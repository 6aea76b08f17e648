// Child processes of the bootstrap: their output is kept for error messages, and they end with the process that started the bootstrap.

import { spawn } from 'node:child_process';

const KEPT_CHARACTERS = 20_000;
const PARENT_CHECK_MS = 500;

const running = new Set();

/**
 * Resolves with the exit code and the end of the output; never rejects.
 *
 * @param {(line: string) => void} [onLine] called with each whole line as it comes
 */
export function run(command, args, { cwd, env, stdin = 'ignore', onLine } = {}) {
  return new Promise((resolve) => {
    let output = '';
    let partial = '';
    const child = spawn(command, args, { cwd, env, stdio: [stdin, 'pipe', 'pipe'] });
    running.add(child);
    const take = (data) => {
      const text = data.toString();
      output = (output + text).slice(-KEPT_CHARACTERS);
      if (onLine === undefined) return;
      const lines = (partial + text).split('\n');
      partial = lines.pop();
      for (const line of lines) onLine(line);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', (error) => {
      running.delete(child);
      resolve({ exitCode: 127, output: String(error) });
    });
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ exitCode: code ?? 128, output: signal === null ? output : `${output}\n(ended by ${signal})` });
    });
  });
}

/**
 * npm passes SIGTERM to the shell between it and this process; the shell dies and passes nothing on. So the parent is watched.
 * Ctrl-C reaches the whole process group.
 */
export function endWithParent() {
  const parent = process.ppid;
  const end = (exitCode) => {
    for (const child of running) child.kill('SIGTERM');
    process.exit(exitCode);
  };
  setInterval(() => {
    if (process.ppid !== parent) end(143);
  }, PARENT_CHECK_MS).unref();
  process.once('SIGTERM', () => end(143));
  process.once('SIGHUP', () => end(129));
}
