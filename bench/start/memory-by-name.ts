// Memory of a whole process tree.
import { processTree, proportionalKib } from '../../measure/process-tree.ts';

/** MiB by process name. */
export async function memoryByName(root: number): Promise<ReadonlyMap<string, number>> {
  const byName = new Map<string, number>();
  for (const { pid, name } of await processTree(root))
    byName.set(name, (byName.get(name) ?? 0) + (await proportionalKib(pid)) / 1024);
  return byName;
}

export async function memoryOf(root: number): Promise<number> {
  return [...(await memoryByName(root)).values()].reduce((sum, mib) => sum + mib, 0);
}
