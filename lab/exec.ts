// Runs a program inside one of the lab's hosts.

import { type ProgramResult, type RunProgramOptions, runProgram } from '../embedded/run-program.ts';

/** As `ip netns exec NAMESPACE COMMAND …`: resolves whatever the exit code is. */
export function inNamespace(
  namespace: string,
  command: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramResult> {
  return runProgram('ip', ['netns', 'exec', namespace, command, ...args], options);
}
