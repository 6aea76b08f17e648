// Every command of the `tidegate` program, in the order in which the help lists them.
import type { Command } from './command.ts';
import { serve, worker } from './serve.ts';
import { up } from './up.ts';

export const commands: readonly Command[] = [up, serve, worker];
