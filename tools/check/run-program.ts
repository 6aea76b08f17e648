// Runs a program to its end with a deadline and a bound on its output.
import { execFile } from 'node:child_process';

interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Rejects only when the program can't be run, or not within `timeoutMs`. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<ProgramResult> {
  const settings = {
    cwd: options.cwd,
    signal: options.signal,
    timeout: options.timeoutMs ?? 600_000,
    maxBuffer: 16 * 1024 * 1024,
    encoding: 'utf8' as const,
  };
  return new Promise((resolve, reject) => {
    execFile(file, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else reject(new Error(`${file} ${args.join(' ')} could not be run to its end: ${error.message}`));
    });
  });
}

/** The lines of a failed program's output as faults. */
export function outputFaults(result: ProgramResult): string[] {
  if (result.exitCode === 0) return [];
  const lines = `${result.stdout}\n${result.stderr}`.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 ? lines : [`exit code ${result.exitCode}, and nothing was printed`];
}
