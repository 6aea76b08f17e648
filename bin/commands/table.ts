// Every command of the `tidegate` program, in the order in which the help lists them.
import type { Command } from './command.ts';

export const commands: readonly Command[] = [];
