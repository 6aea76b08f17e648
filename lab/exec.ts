// Runs a program inside one of the lab's hosts.
// needs: iproute2

import { type ProgramResult, type RunProgramOptions, runProgram } from '../embedded/run-program.ts';

/** Like `ip netns exec NAMESPACE COMMAND …`. Resolves for any exit code. */
export function inNamespace(
  namespace: string,
  command: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramResult> {
  return runProgram('ip', ['netns', 'exec', namespace, command, ...args], options);
}
