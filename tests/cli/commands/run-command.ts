// Runs the program's commands in this process, with readable streams that may pretend to be a terminal.
import { PassThrough } from 'node:stream';
import { runTidegate } from '../../../cli/program.ts';

export interface CommandRun {
  readonly exitCode: Promise<number>;
  stdout(): string;
  stderr(): string;
  /** Ctrl-C. */
  interrupt(): void;
}

export function startCommand(
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly isTTY?: boolean } = {},
): CommandRun {
  const collect = () => {
    let text = '';
    const stream = new PassThrough();
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    return { stream: Object.assign(stream, { isTTY: options.isTTY ?? false }), text: () => text };
  };
  const [out, err] = [collect(), collect()];
  const controller = new AbortController();
  const exitCode = runTidegate({
    args,
    stdout: out.stream,
    stderr: err.stream,
    signal: controller.signal,
    env: options.env ?? {},
  });
  return { exitCode, stdout: out.text, stderr: err.text, interrupt: () => controller.abort() };
}

export async function runCommand(
  args: readonly string[],
  options: { readonly env?: Record<string, string>; readonly isTTY?: boolean } = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const run = startCommand(args, options);
  const exitCode = await run.exitCode;
  // The next turn reads the output of the last one.
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode, stdout: run.stdout(), stderr: run.stderr() };
}
