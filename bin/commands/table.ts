// Every command of the `tidegate` program, in the order in which the help lists them.
import { audit } from './audit.ts';
import { backends } from './backends.ts';
import type { Command } from './command.ts';
import { events } from './events.ts';
import { keys } from './keys.ts';
import { migrate } from './migrate.ts';
import { operations } from './operations.ts';
import { serve, worker } from './serve.ts';
import { up } from './up.ts';

export const commands: readonly Command[] = [up, serve, worker, migrate, backends, operations, events, audit, keys];
