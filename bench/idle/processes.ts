// The processes of an installation, with the memory and the CPU time of each.
import { readFile } from 'node:fs/promises';
import { cpuMsOf } from '../../measure/cpu.ts';
import { processTree, proportionalKib } from '../../measure/process-tree.ts';
import { rounded } from '../../measure/statistics.ts';

const shownLength = 160;

/** A line for each. */
export async function processesOf(root: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { pid } of await processTree(root)) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (words === '') continue;
    const mib = rounded((await proportionalKib(pid)) / 1024, 1);
    lines.push(`${mib} MiB, ${rounded(cpuMsOf(pid) / 1000, 1)} s of CPU so far: ${words.slice(0, shownLength)}`);
  }
  return lines;
}
