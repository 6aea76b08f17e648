// The owner of a process of the trial.
import { fileURLToPath } from 'node:url';
import { CommandChild } from '../../measure/command-child.ts';
import type { Program } from './program.ts';

const script = fileURLToPath(new URL('./program.ts', import.meta.url));

export class Child extends CommandChild {
  /** `file`: the file to which its options are written. */
  constructor(wrapper: readonly string[], file: string, program: Program) {
    super({ script, file, program, wrapper });
  }
}
