// The roles of machines: in settings and certificates as words like object-storage, in the graph as OBJECT_STORAGE.
import type { MachineRole } from '../../../../generated/graph/system.ts';

export function roleOf(word: string): MachineRole {
  return word.toUpperCase().replaceAll('-', '_') as MachineRole;
}

export function roleWord(role: MachineRole): string {
  return role.toLowerCase().replaceAll('_', '-');
}
