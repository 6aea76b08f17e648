// Runs a short system program to its end and returns its output. Every call has a deadline, and the output is bounded.

import { execFile } from 'node:child_process';

export interface ProgramResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunProgramOptions {
  readonly timeoutMs?: number;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** More ends the program; default 4 MiB. */
  readonly maxOutputBytes?: number;
}

const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/**
 * Resolves with any exit code (`null` when a signal or the deadline ended it); rejects only when the program can't be started at
 * all or `signal` is aborted.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      {
        timeout: options.timeoutMs ?? 30_000,
        killSignal: 'SIGKILL',
        maxBuffer: options.maxOutputBytes ?? MAX_OUTPUT_BYTES,
        ...(options.env === undefined ? {} : { env: options.env }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve({ exitCode: 0, stdout, stderr });
        if (typeof error.code === 'number') return resolve({ exitCode: error.code, stdout, stderr });
        if (error.killed === true && options.signal?.aborted !== true) {
          return resolve({ exitCode: null, stdout, stderr });
        }
        reject(error);
      },
    );
    // A program that ends without reading its input closes the pipe early; its exit code says what happened.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}
